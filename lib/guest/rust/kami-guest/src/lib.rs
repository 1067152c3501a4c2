//! Makes a KAMI tool of a Rust function: JSON text in, JSON text out.
//!
//! ```ignore
//! kami_guest::kami_tool! {
//!     name: "shout",
//!     version: "1.0.0",
//!     description: "Gives a text back in capitals",
//!     handler: shout,
//! }
//!
//! fn shout(input: &str) -> Result<String, String> {
//!     Ok(input.to_uppercase())
//! }
//! ```
//!
//! In a crate of the type `cdylib`. For `wasm32-wasip2` rustc makes a component; a core module of `wasm32-unknown-unknown` or
//! `wasm32-wasip1` becomes one by `kami build`.
//!
//! Source: WebAssembly Component Model, CanonicalABI.md, for the layout of what the exported functions take and return.

mod abi;
mod json;

#[doc(hidden)]
pub use abi::{cabi_realloc, describe, post_run, post_text, run, Lowered, LoweredText};
pub use json::quote;

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// Writes one line to the call's log. Outside of WebAssembly, on stderr.
pub fn log(level: Level, message: &str) {
    abi::log(level, message);
}

/// What the macro was told, for `describe`.
#[doc(hidden)]
pub struct Description {
    pub name: &'static str,
    pub version: &'static str,
    pub description: &'static str,
    pub input_schema: Option<&'static str>,
    pub output_schema: Option<&'static str>,
}

const COMPONENT_TYPE_HEX: &[u8] = include_bytes!("../component-type.hex");

#[doc(hidden)]
pub const COMPONENT_TYPE_LENGTH: usize = COMPONENT_TYPE_HEX.len() / 2;

/// The custom section that says which world the module is for. As text, written by `bun fixtures/component-type.ts`.
#[doc(hidden)]
pub const COMPONENT_TYPE: [u8; COMPONENT_TYPE_LENGTH] = decode_hex(COMPONENT_TYPE_HEX);

const fn decode_hex<const N: usize>(hex: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        bytes[at] = hex_digit(hex[at * 2]) << 4 | hex_digit(hex[at * 2 + 1]);
        at += 1;
    }
    bytes
}

const fn hex_digit(digit: u8) -> u8 {
    if digit >= b'a' {
        digit - b'a' + 10
    } else {
        digit - b'0'
    }
}

/// Exports a tool. Fields, in this order: `name`, `version`, `description`, `handler`, and if wanted `input_schema` and `output_schema`,
/// which are JSON Schemas as text. The handler is a `fn(&str) -> Result<String, String>`; the error is a message for the agent.
#[macro_export]
macro_rules! kami_tool {
    (
        name: $name:expr,
        version: $version:expr,
        description: $description:expr,
        handler: $handler:expr
        $(, input_schema: $input:expr)?
        $(, output_schema: $output:expr)?
        $(,)?
    ) => {
        const _: () = {
            #[cfg(target_arch = "wasm32")]
            #[link_section = "component-type:kami-tool"]
            #[used]
            static COMPONENT_TYPE: [u8; $crate::COMPONENT_TYPE_LENGTH] = $crate::COMPONENT_TYPE;

            #[cfg_attr(target_arch = "wasm32", export_name = "kami:tool/tool@0.1.0#run")]
            unsafe extern "C" fn kami_run(input: *mut u8, length: usize) -> *mut $crate::Lowered {
                let handler: fn(&str) -> Result<String, String> = $handler;
                $crate::run(input, length, handler)
            }

            #[cfg_attr(target_arch = "wasm32", export_name = "cabi_post_kami:tool/tool@0.1.0#run")]
            unsafe extern "C" fn kami_post_run(lowered: *mut $crate::Lowered) {
                $crate::post_run(lowered)
            }

            #[cfg_attr(target_arch = "wasm32", export_name = "kami:tool/tool@0.1.0#describe")]
            unsafe extern "C" fn kami_describe() -> *mut $crate::LoweredText {
                #[allow(unused_mut, unused_assignments)]
                let mut input_schema: Option<&'static str> = None;
                #[allow(unused_mut, unused_assignments)]
                let mut output_schema: Option<&'static str> = None;
                $( input_schema = Some($input); )?
                $( output_schema = Some($output); )?
                $crate::describe(&$crate::Description {
                    name: $name,
                    version: $version,
                    description: $description,
                    input_schema,
                    output_schema,
                })
            }

            #[cfg_attr(target_arch = "wasm32", export_name = "cabi_post_kami:tool/tool@0.1.0#describe")]
            unsafe extern "C" fn kami_post_describe(lowered: *mut $crate::LoweredText) {
                $crate::post_text(lowered)
            }

            #[cfg_attr(target_arch = "wasm32", export_name = "cabi_realloc")]
            unsafe extern "C" fn kami_realloc(old: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8 {
                $crate::cabi_realloc(old, old_size, align, size)
            }
        };
    };
}
