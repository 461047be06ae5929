//! The npm package in `js/` and the page in `dist/`.

use std::{
    fs,
    hash::{DefaultHasher, Hasher},
    io::Write,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};

use crate::{
    order,
    project::{self, WASM, cargo, node_tool, root, target},
    run::{Context, Failure, Result, run},
    setup,
};

/// wasm-opt's level: small. What is hot, hashing, WebCrypto does wherever there is one. It puts no function into another:
/// what is inside a large one gzip packs worse, 50 KB in all, and rustc has put in what pays by then.
const LEVEL: &[&str] = &[
    "-Oz",
    "--converge",
    "--one-caller-inline-max-function-size=0",
    "--always-inline-max-function-size=0",
    "--zero-filled-memory",
    "--strip-producers",
    "--strip-target-features",
];

/// Then the functions are put in the order that [`order`] gives. The two levels keep their code as small as it was.
const ORDER: &[&str] = &["--reorder-functions-by-name", "--optimize-level=2", "--shrink-level=2"];

/// What rustc 1.82 and later uses of wasm by itself, and the vectors of `crates/chacha20`; wasm-opt must know, or refuses
/// the file.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
];

/// As in `.cargo/config.toml`, which `RUSTFLAGS` takes the place of.
const BACKEND: &str = "--cfg getrandom_backend=\"wasm_js\"";

/// Leaves out what nobody reads. The last two let LLVM put a function that is called from one place alone into that place
/// only up to some 150 instructions, not 3000; nothing else changes, as both costs are 20 times what they are by default.
const LEAN: &str = "-Zlocation-detail=none -Zfmt-debug=shallow -Zunstable-options -Cpanic=immediate-abort \
                    -Cllvm-args=-inline-instr-cost=100 -Cllvm-args=-inline-call-penalty=500";

/// The second version of sha2, by which libp2p makes ids of keys other than ours, with its rounds as a loop. Content is
/// hashed by the first, where WebCrypto does not.
const COMPACT: &str = "--cfg sha2_backend_soft=\"compact\"";

/// What people load, gzipped, in bytes: wasm and all of the package's JavaScript.
const AIM: u64 = 600_000;

/// Sizes are told in thousands of bytes.
const KB: u64 = 1000;

/// The sizes of what was built.
pub struct Built {
    files: Vec<(String, u64, u64)>,
}

/// Sets up and builds all.
pub fn build() -> Result<Built> {
    setup::for_build()?;
    wasm()?;
    bundle()?;
    types()?;
    page()?;
    Built::measure()
}

/// The peer in wasm, and the JavaScript that wasm-bindgen makes for it, in `js/pkg/`.
fn wasm() -> Result {
    compile("avocet")?;
    let compiled = target().join(WASM).join("release/avocet.wasm");
    let bytes = fs::read(&compiled).context(format!("read {}", compiled.display()))?;
    let stamp = stamp(&bytes)?;
    let package = root().join("js/pkg");
    let stamp_file = package.join(".stamp");
    if fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp) {
        println!("js/pkg is up to date");
        return Ok(());
    }
    if package.exists() {
        fs::remove_dir_all(&package).context("empty js/pkg")?;
    }
    let mut bindgen = std::process::Command::new(setup::wasm_bindgen()?.join("wasm-bindgen"));
    bindgen.args(["--target", "web", "--out-name", "avocet", "--out-dir"]).arg(&package);
    run(bindgen.arg(&compiled).current_dir(root()))?;
    optimise(&package.join("avocet_bg.wasm"))?;
    fs::write(stamp_file, stamp).context("write js/pkg/.stamp")
}

/// The package's JavaScript in one file, with wasm-bindgen's in it: 20 KB gzip less than its modules, and one request.
fn bundle() -> Result {
    let mut bundle = node_tool("esbuild/bin/esbuild");
    bundle.args(["js/src/main.js", "--bundle", "--minify", "--format=esm", "--target=es2022"]);
    run(bundle.args(["--log-level=warning", "--outfile=js/pkg/peer.js"]).current_dir(root()))
}

/// Makes a wasm file small, in its place, as it is and even more so gzipped.
pub fn optimise(wasm: &Path) -> Result {
    wasm_opt(LEVEL, wasm)?;
    let bytes = fs::read(wasm).context(format!("read {}", wasm.display()))?;
    fs::write(wasm, order::named(&bytes)?).context(format!("write {}", wasm.display()))?;
    wasm_opt(ORDER, wasm)
}

fn wasm_opt(passes: &[&str], wasm: &Path) -> Result {
    let mut optimise = node_tool("binaryen/bin/wasm-opt");
    run(optimise.args(passes).args(FEATURES).arg(wasm).arg("--output").arg(wasm))
}

/// Compiles a package to wasm as it ships. With Rust's source at hand its standard library is compiled for size too, and without the
/// places in source files, the words of panics and the fields of `{:?}`, which nobody reads in a page: a tenth less to load. A
/// panic traps at once, and the page tells of the trap. These switches are not stable; a compiler that refuses them gives the larger file, which works as well.
pub fn compile(package: &str) -> Result {
    let all = ["rustc", "--release", "--package", package, "--lib", "--target", WASM];
    // A program alone: with a library for Rust beside it cargo does not optimise all crates as one.
    let all = [&all[..], &["--crate-type", "cdylib"]].concat();
    if setup::rust_source() {
        let mut lean = cargo();
        lean.args(&all).args(["-Z", "build-std=std,panic_abort"]);
        lean.args(["-Z", "build-std-features=optimize_for_size"]).env("RUSTC_BOOTSTRAP", "1");
        let flags = format!("{BACKEND} {LEAN} {COMPACT}");
        match run(lean.env("RUSTFLAGS", flags)) {
            Ok(()) => return Ok(()),
            Err(error) => println!("{error}\nBuilding again without the switches for size."),
        }
    }
    run(cargo().args(&all))
}

/// Changes with whatever the files in `js/pkg/` depend on.
fn stamp(compiled: &[u8]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    hasher.write(compiled);
    let binaryen = fs::read_to_string(root().join("node_modules/binaryen/package.json"))
        .context("read binaryen's package.json")?;
    hasher.write(binaryen.as_bytes());
    hasher.write(include_bytes!("order.rs"));
    let bindgen = project::locked_version("wasm-bindgen")?;
    Ok(format!("{:016x} {bindgen} {}", hasher.finish(), [LEVEL, ORDER].concat().join(" ")))
}

/// What `js/pkg/peer.js` exports, for whoever checks types: said beside it and beside the declarations.
const BUNDLED: &str = "export { AvocetError } from '../src/errors.js';\nexport { createPeer } from '../src/peer.js';\n";

/// Checks the package's JavaScript and writes its declarations to `js/types/`.
pub fn types() -> Result {
    for folder in ["js/pkg", "js/types/pkg"] {
        let folder = root().join(folder);
        fs::create_dir_all(&folder).context(format!("make {}", folder.display()))?;
        fs::write(folder.join("peer.d.ts"), BUNDLED).context("declare js/pkg/peer.js")?;
    }
    run(node_tool("typescript/bin/tsc").args(["--project", "js"]))?;
    for further in ["www/tsconfig.json", "tests/tsconfig.json"] {
        if root().join(further).exists() {
            run(node_tool("typescript/bin/tsc").args(["--noEmit", "--project", further]))?;
        }
    }
    Ok(())
}

/// The page, and beside each larger file its gzipped twin, which the relay sends to whoever takes it.
fn page() -> Result {
    let dist = root().join("dist");
    if dist.exists() {
        fs::remove_dir_all(&dist).context("empty dist")?;
    }
    run(node_tool("webpack/bin/webpack.js").args(["--mode", "production"]))?;
    for file in all_files(&dist)? {
        let bytes = fs::read(&file).context(format!("read {}", file.display()))?;
        let packed = gzip(&bytes)?;
        if packed.len() + 512 < bytes.len() {
            let mut name = file.into_os_string();
            name.push(".gz");
            fs::write(&name, packed).context("write a gzipped file")?;
        }
    }
    Ok(())
}

fn all_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).context(format!("read {}", folder.display()))? {
        let path = entry.context("read a folder")?.path();
        if path.is_dir() {
            files.extend(all_files(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).context("gzip")
}

impl Built {
    fn measure() -> Result<Self> {
        let paths = ["js/pkg/avocet_bg.wasm", "js/pkg/peer.js", "js/index.js"];
        let mut files = Vec::new();
        for path in paths {
            let bytes = fs::read(root().join(path)).context(format!("read {path}"))?;
            let packed = gzip(&bytes)?.len() as u64;
            files.push((path.to_owned(), bytes.len() as u64, packed));
        }
        Ok(Self { files })
    }

    /// Prints what people load, and whether it is within the aim.
    pub fn print_sizes(&self) {
        let (wasm, js): (Vec<_>, Vec<_>) =
            self.files.iter().partition(|(path, ..)| path.ends_with(".wasm"));
        println!("\nThe package as people load it:");
        let mut all = 0;
        for (name, files) in [("wasm", wasm), ("js", js)] {
            let plain: u64 = files.iter().map(|(_, plain, _)| plain).sum();
            let packed: u64 = files.iter().map(|(_, _, packed)| packed).sum();
            println!("  {name:<5}{:>7} KB, gzip {:>5} KB", plain / KB, packed / KB);
            all += packed;
        }
        println!("  sum                gzip {:>5} KB (aim: at most {} KB)", all / KB, AIM / KB);
    }

    /// An error where the package has grown past the aim.
    pub fn check_sizes(&self) -> Result {
        let all: u64 = self.files.iter().map(|(_, _, packed)| packed).sum();
        if all <= AIM {
            return Ok(());
        }
        Err(Failure::new(format!("the package has {all} bytes gzip, over {AIM}")))
    }
}
