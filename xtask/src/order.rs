//! The order of a wasm file's functions.
//!
//! gzip sees what comes again only when it comes again within 32 KiB, and in a file of a megabyte most of it is further
//! off: one generic function made for many types, one pattern of the compiler in many crates. So functions that are alike
//! are put side by side. What each of them does stays as it is, and the file as long as before.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::run::{Failure, Result};

/// So many bytes in a row are a run, some two instructions: functions are as alike as they have runs in common.
const RUN: usize = 6;

/// A function is put beside those of so many bytes before it: half of what gzip sees, as its own bytes count too.
const NEAR: usize = 16 * 1024;

/// The file with names by which `wasm-opt --reorder-functions-by-name` puts functions that are alike side by side.
pub fn named(wasm: &[u8]) -> Result<Vec<u8>> {
    let file = File::read(wasm)
        .ok_or_else(|| Failure::new("wasm-opt wrote a wasm file that is not understood here"))?;
    let mut names = number(file.bodies.len());
    let mut places = vec![0; file.bodies.len()];
    for (place, function) in order(&file.bodies).into_iter().enumerate() {
        places[function] = place;
    }
    for (function, place) in places.into_iter().enumerate() {
        let name = format!("{place:08}");
        names.extend(number(file.imported + function));
        names.extend(number(name.len()));
        names.extend(name.into_bytes());
    }
    let section = [&[4], &b"name"[..], &[1], &number(names.len()), &names].concat();
    Ok([wasm, &[0], &number(section.len()), &section].concat())
}

/// The functions one after another: always the one of whose bytes most begin a run that came just before.
fn order(bodies: &[&[u8]]) -> Vec<usize> {
    let runs = Runs::of(bodies);
    let mut near = Near::new(&runs, bodies);
    let mut left: Vec<usize> = (0..bodies.len()).collect();
    let mut order = Vec::with_capacity(bodies.len());
    let likeness = |near: &Near, function: usize| {
        f64::from(near.common[function]) / bodies[function].len() as f64
    };
    while let Some(next) = (0..left.len())
        .max_by(|a, b| likeness(&near, left[*a]).total_cmp(&likeness(&near, left[*b])))
    {
        let next = left.remove(next);
        near.add(next);
        order.push(next);
    }
    order
}

/// Who has which runs. One that a single function has, or every third, tells nothing and is left out.
struct Runs {
    /// Each function's runs.
    of: Vec<Vec<usize>>,
    /// Each run's functions.
    holders: Vec<Vec<usize>>,
}

impl Runs {
    fn of(bodies: &[&[u8]]) -> Self {
        let mut all: HashMap<&[u8], Vec<usize>> = HashMap::new();
        for (function, body) in bodies.iter().enumerate() {
            for run in body.windows(RUN).collect::<HashSet<_>>() {
                all.entry(run).or_default().push(function);
            }
        }
        let mut of = vec![Vec::new(); bodies.len()];
        let telling = |holders: &Vec<usize>| (2..=bodies.len() / 3).contains(&holders.len());
        let holders: Vec<_> = all.into_values().filter(telling).collect();
        for (run, holders) in holders.iter().enumerate() {
            holders.iter().for_each(|function| of[*function].push(run));
        }
        Self { of, holders }
    }
}

/// The functions that came last, as many as [`NEAR`] allows.
struct Near<'a> {
    runs: &'a Runs,
    bodies: &'a [&'a [u8]],
    functions: VecDeque<usize>,
    bytes: usize,
    /// How many of these functions have each run.
    held: Vec<u32>,
    /// How many of each function's runs are held.
    common: Vec<u32>,
}

impl<'a> Near<'a> {
    fn new(runs: &'a Runs, bodies: &'a [&'a [u8]]) -> Self {
        let (held, common) = (vec![0; runs.holders.len()], vec![0; bodies.len()]);
        Self { runs, bodies, functions: VecDeque::new(), bytes: 0, held, common }
    }

    fn add(&mut self, function: usize) {
        self.functions.push_back(function);
        self.bytes += self.bodies[function].len();
        for run in &self.runs.of[function] {
            self.held[*run] += 1;
            if self.held[*run] == 1 {
                self.runs.holders[*run].iter().for_each(|holder| self.common[*holder] += 1);
            }
        }
        while self.bytes > NEAR && self.functions.len() > 1 {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        let Some(function) = self.functions.pop_front() else { return };
        self.bytes -= self.bodies[function].len();
        for run in &self.runs.of[function] {
            self.held[*run] -= 1;
            if self.held[*run] == 0 {
                self.runs.holders[*run].iter().for_each(|holder| self.common[*holder] -= 1);
            }
        }
    }
}

/// What of a wasm file is needed here.
struct File<'a> {
    /// How many functions are imported: the numbers of its own come after theirs.
    imported: usize,
    bodies: Vec<&'a [u8]>,
}

impl<'a> File<'a> {
    /// `None` where it is not a file of the kind that wasm-opt writes.
    fn read(wasm: &'a [u8]) -> Option<Self> {
        let mut rest = Bytes(wasm.strip_prefix(b"\0asm\x01\0\0\0")?);
        let mut file = Self { imported: 0, bodies: Vec::new() };
        while !rest.0.is_empty() {
            let [kind] = *rest.take(1)? else { return None };
            let mut section = Bytes(rest.counted()?);
            match kind {
                2 => file.imported = section.imports()?,
                10 => {
                    for _ in 0..section.number()? {
                        file.bodies.push(section.counted()?);
                    }
                }
                _ => {}
            }
        }
        Some(file)
    }
}

/// What is still to be read of a file or section.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// An unsigned LEB128 number of 32 bits.
    fn number(&mut self) -> Option<usize> {
        let mut number = 0;
        for shift in (0..35).step_by(7) {
            let [byte] = *self.take(1)? else { return None };
            number |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// Bytes with their number before them.
    fn counted(&mut self) -> Option<&'a [u8]> {
        let count = self.number()?;
        self.take(count)
    }

    /// How many of an import section's entries are functions; `None` where another kind is among them: wasm-bindgen's
    /// files import nothing else.
    fn imports(&mut self) -> Option<usize> {
        let count = self.number()?;
        for _ in 0..count {
            self.counted()?;
            self.counted()?;
            if self.take(1)? != [0] {
                return None;
            }
            self.number()?;
        }
        Some(count)
    }
}

fn number(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_it_was_written() {
        for value in [0, 1, 127, 128, 300, 16_383, 16_384, u32::MAX as usize] {
            let bytes = number(value);
            let mut rest = Bytes(&bytes);
            assert_eq!((rest.number(), rest.0.len()), (Some(value), 0));
        }
        assert_eq!(Bytes(&[0xff; 9]).number(), None);
        assert_eq!(Bytes(&[0x80]).number(), None);
    }

    /// Two kinds of functions, in turns.
    fn two_kinds() -> Vec<Vec<u8>> {
        let body = |index: u8| {
            let kind = [0x20..0x60, 0x60..0xa0][usize::from(index % 2)].clone();
            kind.chain([index]).collect()
        };
        (0..12).map(body).collect()
    }

    #[test]
    fn functions_that_are_alike_stand_side_by_side() {
        let bodies = two_kinds();
        let bodies: Vec<_> = bodies.iter().map(Vec::as_slice).collect();
        // A third of the functions at most may have a run that tells something: others fill up.
        let others: Vec<[u8; 7]> = (0..12).map(|n| [0xf0 + n; 7]).collect();
        let all: Vec<_> = bodies.iter().copied().chain(others.iter().map(|n| &n[..])).collect();
        let order = order(&all);
        let mut each = order.clone();
        each.sort_unstable();
        assert_eq!(each, (0..24).collect::<Vec<_>>(), "each once");
        let kinds: Vec<_> = order.iter().filter(|n| **n < 12).map(|n| n % 2).collect();
        assert_eq!(kinds.windows(2).filter(|pair| pair[0] != pair[1]).count(), 1, "{kinds:?}");
    }

    #[test]
    fn the_names_number_the_files_own_functions() {
        let header = b"\0asm\x01\0\0\0";
        let import = [2, 7, 1, 1, b'a', 1, b'b', 0, 0];
        let code = [10, 7, 2, 2, 0, 0x0b, 2, 0, 0x0b];
        let wasm = [&header[..], &import, &code].concat();
        let named = named(&wasm).expect("it is a wasm file");
        let section = named.strip_prefix(&wasm[..]).expect("the file stays as it is");
        assert_eq!(&section[..9], b"\0\x1c\x04name\x01\x15");
        let mut names = Bytes(&section[9..]);
        assert_eq!(names.number(), Some(2));
        let mut read = || (names.number(), names.counted().map(<[u8]>::to_vec));
        let mut both = [read(), read()];
        assert_eq!([both[0].0, both[1].0], [Some(1), Some(2)]);
        both.sort_by(|a, b| a.1.cmp(&b.1));
        let texts = both.map(|(_, text)| text.expect("a name"));
        assert_eq!(texts, [b"00000000".to_vec(), b"00000001".to_vec()]);
    }

    #[test]
    fn what_is_no_wasm_is_refused() {
        for bytes in [
            &b"PK"[..],
            b"\0asm\x01\0\0\0\x0a\x05\x01",
            b"\0asm\x01\0\0\0\x02\x05\x01\x00\x00\x02\x00",
        ] {
            assert!(named(bytes).is_err());
        }
    }
}
