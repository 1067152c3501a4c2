//! The crate `serde_json` parses a document into its `Value`, changes a number in it and writes it again.

use bench_guests::{mix, random};
use serde_json::{json, Value};

fn document() -> String {
    let mut seed = 1;
    let records: Vec<Value> = (0..100)
        .map(|id| {
            json!({
                "id": id,
                "name": format!("record é \"{}\"", random(&mut seed) % 100_000),
                "price": f64::from(random(&mut seed) % 1_000_000) / 100.0,
                "active": random(&mut seed) % 2 == 0,
                "tags": ["a", "quite a long tag, as tags go", null],
                "at": { "x": -1.5, "y": [] },
            })
        })
        .collect();
    json!({ "records": records }).to_string()
}

/// Does the work `n` times over the same data and returns a checksum of its results.
#[no_mangle]
pub extern "C" fn run(n: u32) -> u32 {
    let text = document();
    (0..n).fold(0, |sum, round| {
        let mut tree: Value = serde_json::from_str(&text).unwrap();
        tree["records"][round as usize % 100]["id"] = json!(round * 7);
        let written = tree.to_string();
        written.bytes().step_by(16).fold(sum, |sum, byte| mix(sum, byte.into()))
    })
}
