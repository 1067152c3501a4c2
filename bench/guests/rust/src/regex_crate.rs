//! The crate `regex` looks for addresses, requests and errors in a log, with its lazy automata and capture groups.

use std::cell::OnceCell;

use bench_guests::{mix, random};
use regex::Regex;

struct Work {
    patterns: Vec<Regex>,
    log: String,
}

thread_local! {
    static WORK: OnceCell<Work> = const { OnceCell::new() };
}

fn prepare() -> Work {
    let mut seed = 1;
    let mut log = String::new();
    for line in 0..300 {
        let (a, b, c) = (random(&mut seed), random(&mut seed), random(&mut seed));
        let method = if c % 3 == 0 { "PUT" } else { "GET" };
        let status = if a % 4 == 0 { 404 + c % 100 } else { 200 + c % 5 };
        let agent = ["curl/8", "an ordinary browser", "bot"][b as usize % 3];
        log += &format!(
            "[{line}] 10.{}.{}.7 {method} /items/{}/index.html status={status} agent=\"{agent}\"\n",
            a % 256, b % 256, b % 10_000
        );
    }
    let patterns = [
        r"(\d{1,3})\.(\d{1,3})\.\d{1,3}\.\d{1,3}",
        r"(GET|POST) (/[a-z0-9/._-]*)",
        r#"status=(4|5)\d\d .*agent="([^"]*)""#,
    ];
    Work { patterns: patterns.iter().map(|text| Regex::new(text).unwrap()).collect(), log }
}

/// Does the work `n` times over the same data and returns a checksum of its results.
#[no_mangle]
pub extern "C" fn run(n: u32) -> u32 {
    WORK.with(|work| {
        let Work { patterns, log } = work.get_or_init(prepare);
        let mut sum = 0;
        for _ in 0..n {
            for found in patterns.iter().flat_map(|pattern| pattern.captures_iter(log)) {
                let group = found.get(2).unwrap();
                sum = mix(sum, (group.start() * 256 + group.end()) as u32);
            }
        }
        sum
    })
}
