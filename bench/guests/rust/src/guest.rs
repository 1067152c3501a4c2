//! What both guests use: numbers that are the same everywhere, and a checksum.

/// One step of xorshift. Source: Marsaglia, Xorshift RNGs, 2003.
pub fn random(seed: &mut u32) -> u32 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    *seed
}

/// One step of FNV-1a, over a word in place of a byte.
pub fn mix(sum: u32, value: u32) -> u32 {
    (sum ^ value).wrapping_mul(16_777_619)
}
