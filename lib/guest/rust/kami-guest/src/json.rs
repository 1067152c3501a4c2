//! The little JSON that `describe` writes.

use crate::Description;
use std::fmt::Write;

/// Writes text as a JSON string, quotes included.
///
/// Source: RFC 8259 §7 for what must be escaped.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                let _ = write!(out, "\\u{:04x}", control as u32);
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

pub(crate) fn describe(description: &Description) -> String {
    let mut out = format!(
        "{{\"name\":{},\"version\":{},\"description\":{}",
        quote(description.name),
        quote(description.version),
        quote(description.description),
    );
    for (key, schema) in [("inputSchema", description.input_schema), ("outputSchema", description.output_schema)] {
        if let Some(schema) = schema {
            let _ = write!(out, ",\"{key}\":{schema}");
        }
    }
    out.push('}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_json_does_not_allow() {
        assert_eq!(quote("a\"\\\n\u{1}é"), "\"a\\\"\\\\\\n\\u0001é\"");
    }

    #[test]
    fn describes_with_and_without_schemas() {
        let mut tool = Description { name: "a", version: "1.0.0", description: "b\"", input_schema: None, output_schema: None };
        assert_eq!(describe(&tool), r#"{"name":"a","version":"1.0.0","description":"b\""}"#);
        tool.input_schema = Some(r#"{"type":"object"}"#);
        assert_eq!(describe(&tool), r#"{"name":"a","version":"1.0.0","description":"b\"","inputSchema":{"type":"object"}}"#);
    }
}
