//! The canonical ABI of `run: func(string) -> result<string, string>`, `describe: func() -> string` and `log`, by hand.
//!
//! Source: WebAssembly Component Model, CanonicalABI.md.

use crate::{json, Description, Level};
use std::alloc::{alloc, dealloc, realloc, Layout};

/// `result<string, string>` in memory: the tag at 0, the text's pointer at 4, its length at 8.
#[repr(C)]
pub struct Lowered {
    failed: u8,
    text: LoweredText,
}

/// `string` in memory.
#[repr(C)]
pub struct LoweredText {
    pointer: *mut u8,
    length: usize,
}

/// Lends the host memory for what it passes in.
///
/// # Safety
/// The canonical ABI's: `old` was given by this function with `old_size` and `align`, or `old_size` is 0.
pub unsafe fn cabi_realloc(old: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8 {
    if size == 0 {
        return align as *mut u8;
    }
    let pointer = if old_size == 0 {
        alloc(Layout::from_size_align_unchecked(size, align))
    } else {
        realloc(old, Layout::from_size_align_unchecked(old_size, align), size)
    };
    if pointer.is_null() {
        std::process::abort();
    }
    pointer
}

/// Calls the tool's handler.
///
/// # Safety
/// `input` and `length` are a string that `cabi_realloc` made room for.
pub unsafe fn run(input: *mut u8, length: usize, handler: fn(&str) -> Result<String, String>) -> *mut Lowered {
    // The host passes well-formed UTF-8; what were none would be a bug of its, not a reason for undefined behaviour.
    let bytes = if length == 0 { Vec::new() } else { Vec::from_raw_parts(input, length, length) };
    let result = match String::from_utf8(bytes) {
        Ok(text) => handler(&text),
        Err(error) => Err(error.to_string()),
    };
    let (failed, text) = match result {
        Ok(text) => (0, text),
        Err(text) => (1, text),
    };
    Box::into_raw(Box::new(Lowered { failed, text: lower(text) }))
}

/// Writes what the macro was told as JSON.
pub fn describe(description: &Description) -> *mut LoweredText {
    Box::into_raw(Box::new(lower(json::describe(description))))
}

/// Takes back what `run` returned.
///
/// # Safety
/// `lowered` is from `run`, and taken back once.
pub unsafe fn post_run(lowered: *mut Lowered) {
    release(&Box::from_raw(lowered).text);
}

/// Takes back what `describe` returned.
///
/// # Safety
/// `lowered` is from `describe`, and taken back once.
pub unsafe fn post_text(lowered: *mut LoweredText) {
    release(&Box::from_raw(lowered));
}

fn lower(text: String) -> LoweredText {
    let bytes = text.into_bytes().into_boxed_slice();
    let length = bytes.len();
    LoweredText { pointer: Box::into_raw(bytes).cast::<u8>(), length }
}

unsafe fn release(text: &LoweredText) {
    if text.length > 0 {
        dealloc(text.pointer, Layout::from_size_align_unchecked(text.length, 1));
    }
}

#[cfg(target_arch = "wasm32")]
pub fn log(level: Level, message: &str) {
    #[link(wasm_import_module = "kami:tool/host@0.1.0")]
    extern "C" {
        #[link_name = "log"]
        fn host_log(level: i32, message: *const u8, length: usize);
    }
    unsafe { host_log(i32::from(level as u8), message.as_ptr(), message.len()) }
}

#[cfg(not(target_arch = "wasm32"))]
pub fn log(level: Level, message: &str) {
    eprintln!("[{level:?}] {message}");
}
