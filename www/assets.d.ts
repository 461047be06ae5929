// What webpack takes beside scripts.
declare module '*.css';
