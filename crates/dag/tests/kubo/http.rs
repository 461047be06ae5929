//! As much of HTTP as Kubo's API needs: one POST a connection, the answer as one piece.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

/// Longer than any of our requests takes on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The body of the answer, if the request did well from its first to its last byte.
pub fn post(address: &str, path: &str, kind: &str, body: &[u8]) -> Result<Vec<u8>, String> {
    let answer = exchange(address, path, kind, body).map_err(|error| format!("{path}: {error}"))?;
    let (head, body) = split(&answer, b"\r\n\r\n").ok_or("an answer without a head")?;
    let head = String::from_utf8_lossy(head);
    let status = head.split(' ').nth(1).unwrap_or_default();
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let (body, trailer) = if chunked { unchunk(body)? } else { (body.to_vec(), String::new()) };
    if status != "200" {
        return Err(format!("{path}: status {status}: {}", String::from_utf8_lossy(&body)));
    }
    // An error after the first byte of the answer has no other place.
    match trailer.lines().find(|line| line.to_ascii_lowercase().starts_with("x-stream-error:")) {
        Some(line) => Err(format!("{path}: {line}")),
        None => Ok(body),
    }
}

fn exchange(address: &str, path: &str, kind: &str, body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: {kind}\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    // Refused early, the rest of the body finds nobody: the answer tells why.
    let sent = stream.write_all(body);
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    if answer.is_empty() {
        sent.and(read)?;
    }
    Ok(answer)
}

/// The body of a chunked answer, and what follows it.
fn unchunk(mut rest: &[u8]) -> Result<(Vec<u8>, String), String> {
    let mut body = Vec::new();
    loop {
        let (line, after) = split(rest, b"\r\n").ok_or("an answer that was cut short")?;
        let digits = String::from_utf8_lossy(line);
        let size = usize::from_str_radix(digits.trim(), 16).map_err(|_| "a chunk without size")?;
        if size == 0 {
            return Ok((body, String::from_utf8_lossy(after).into_owned()));
        }
        let chunk = after.get(..size).ok_or("an answer that was cut short")?;
        body.extend_from_slice(chunk);
        rest = after.get(size + 2..).ok_or("an answer that was cut short")?;
    }
}

fn split<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let place = bytes.windows(at.len()).position(|window| window == at)?;
    Some((&bytes[..place], &bytes[place + at.len()..]))
}

/// Every byte that could mean something in a URL as `%XX`.
pub fn escape(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => out.push(byte.into()),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
