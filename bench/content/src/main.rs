//! The content benchmark natively: `avocet-bench MIB ENTRIES`, then the number of a work on each
//! line of standard input, and its milliseconds on each of standard output.

use std::io::{BufRead, Write};

#[expect(clippy::disallowed_methods, reason = "a native program")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|arg| arg.parse::<u32>());
    let mut next = || numbers.next().ok_or("usage: avocet-bench MIB ENTRIES");
    avocet_bench::prepare(next()??, next()??);
    for line in std::io::stdin().lock().lines() {
        let number = line?.trim().parse()?;
        let began = std::time::Instant::now();
        let found = avocet_bench::run(number);
        println!("{} {found}", began.elapsed().as_secs_f64() * 1000.0);
        std::io::stdout().flush()?;
    }
    Ok(())
}
