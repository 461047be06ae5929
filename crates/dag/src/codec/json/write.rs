//! Writing DAG-JSON.

use multibase::Base;

use super::{float::digits, number::fits};
use crate::codec::{
    EncodeError, Unfit, Value,
    encode::{Sink, write_value},
};

/// Encodes a value; keys are sorted here.
pub fn encode(value: &Value) -> Result<Vec<u8>, EncodeError> {
    let mut writer = Writer(String::new());
    write_value(value, str::cmp, &mut writer)?;
    Ok(writer.0.into_bytes())
}

struct Writer(String);

impl Sink for Writer {
    fn scalar(&mut self, value: &Value) -> Result<(), Unfit> {
        match value {
            Value::Bool(bool) => self.0.push_str(if *bool { "true" } else { "false" }),
            Value::Int(int) => write_int(*int, &mut self.0)?,
            Value::Float(float) if !float.is_finite() => return Err(Unfit::Number),
            Value::Float(float) => write_float(*float, &mut self.0),
            Value::Text(text) => write_text(text, &mut self.0),
            Value::Bytes(bytes) => {
                self.0.push_str("{\"/\":{\"bytes\":\"");
                self.0.push_str(&Base::Base64.encode(bytes));
                self.0.push_str("\"}}");
            }
            Value::Link(cid) => {
                self.0.push_str("{\"/\":\"");
                self.0.push_str(&cid.to_string());
                self.0.push_str("\"}");
            }
            _ => self.0.push_str("null"),
        }
        Ok(())
    }

    fn list(&mut self, _len: usize) {
        self.0.push('[');
    }

    fn map(&mut self, entries: &[&(String, Value)]) -> Result<(), Unfit> {
        if entries.first().is_some_and(|(key, value)| key == "/" && is_reserved(value)) {
            return Err(Unfit::Reserved);
        }
        self.0.push('{');
        Ok(())
    }

    fn item(&mut self, is_first: bool, key: Option<&str>) {
        if !is_first {
            self.0.push(',');
        }
        if let Some(key) = key {
            write_text(key, &mut self.0);
            self.0.push(':');
        }
    }

    fn end(&mut self, is_map: bool) {
        self.0.push(if is_map { '}' } else { ']' });
    }
}

/// Whether a map that has this under `/`, its first key, would be read as something else: a
/// link's text, or a map that begins as bytes do.
fn is_reserved(value: &Value) -> bool {
    match value {
        Value::Text(_) => true,
        Value::Map(entries) => entries
            .iter()
            .min_by(|a, b| a.0.cmp(&b.0))
            .is_some_and(|(key, value)| key == "bytes" && matches!(value, Value::Text(_))),
        _ => false,
    }
}

/// As JavaScript's `JSON.stringify`: what must be escaped in its shortest form, nothing else.
fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        let short = match c {
            '"' | '\\' => c,
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\0'..' ' => {
                let digit = |value| char::from_digit(value, 16).unwrap_or_default();
                out.push_str("\\u00");
                out.push(digit(c as u32 >> 4));
                out.push(digit(c as u32 & 15));
                continue;
            }
            _ => {
                out.push(c);
                continue;
            }
        };
        out.push('\\');
        out.push(short);
    }
    out.push('"');
}

/// By its 64 bits: writing all 128 takes more code than the rest of this.
fn write_int(int: i128, out: &mut String) -> Result<(), Unfit> {
    if int < 0 {
        out.push('-');
    }
    match u64::try_from(int.unsigned_abs()) {
        Ok(number) => out.push_str(&number.to_string()),
        Err(_) if fits(int) => out.push_str("18446744073709551616"),
        Err(_) => return Err(Unfit::Number),
    }
    Ok(())
}

/// As JavaScript's `String(float)`, the fewest digits that read back as the same number, but
/// never like an integer.
fn write_float(float: f64, out: &mut String) {
    if float.is_sign_negative() {
        out.push('-');
    }
    let float = float.abs();
    let (digits, point) = if float == 0.0 { (vec![0], 1) } else { digits(float) };
    let digits: String = digits.into_iter().map(|digit| char::from(b'0' + digit)).collect();
    let zeros = |count: i32| "0".repeat(count.unsigned_abs() as usize);
    match point {
        -5..=0 => {
            out.push_str("0.");
            out.push_str(&zeros(point));
            out.push_str(&digits);
        }
        1..=21 if digits.len() <= point as usize => {
            out.push_str(&digits);
            out.push_str(&zeros(point - digits.len() as i32));
            out.push_str(".0");
        }
        1..=21 => {
            let (whole, fraction) = digits.split_at(point as usize);
            out.push_str(whole);
            out.push('.');
            out.push_str(fraction);
        }
        _ => {
            let (first, rest) = digits.split_at(1);
            out.push_str(first);
            if !rest.is_empty() {
                out.push('.');
                out.push_str(rest);
            }
            out.push('e');
            out.push(if point > 0 { '+' } else { '-' });
            out.push_str(&(point - 1).unsigned_abs().to_string());
        }
    }
}
