#!/usr/bin/env bash
# aliyun-openapi-core-rust-sdk 1.1.0 (time 0.3.55, reqwest 0.11.27): Timestamp has nine digits of a second, and a call may have two of them.
#
# Guess:  Timestamp is sent as the signature version 1.0 describes it, YYYY-MM-DDThh:mm:ssZ, as every other SDK of this vendor does;
#         a Timestamp of the caller's own in query() takes its place; a POST carries its parameters in the body.
# Does:   Timestamp has nanoseconds, which gateways that ask for the described form refuse. A parameter named Timestamp in query()
#         is sent and signed beside the first one. A POST has an empty body, all parameters stand in the URL.
# Seen:   POST with 2 times Timestamp, the first YYYY-MM-DDThh:mm:ss.nnnnnnnnnZ, content-length 0 or none
#
# Exits with 1 if that changes. Needs cargo.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
aliyun-openapi-core-rust-sdk = "=1.1.0"
time = "=0.3.55"
reqwest = "=0.11.27"
tokio = { version = "1", features = ["rt", "macros"] }
TOML
cat > src/main.rs <<'RS'
use aliyun_openapi_core_rust_sdk::client::rpc::RPClient;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;

const BODY: &str = "{\"RequestId\": \"1\"}";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        for line in BufReader::new(stream.try_clone().unwrap()).lines() {
            let line = line.unwrap();
            if line.is_empty() {
                break;
            }
            head.push(line);
        }
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{}", BODY.len(), BODY).unwrap();
        head
    });
    let own = vec![("Timestamp", "2024-01-01T00:00:00Z"), ("FlowName", "f")];
    RPClient::new("id", "secret", endpoint)
        .version("2019-03-15")
        .post("StartExecution")
        .query(own)
        .text()
        .await
        .unwrap();
    let head = server.join().unwrap();
    let query = head[0].split(' ').nth(1).unwrap().split('?').nth(1).unwrap().to_string();
    let times: Vec<&str> = query.split('&').filter_map(|pair| pair.strip_prefix("Timestamp=")).collect();
    let length = head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length:").map(|n| n.trim().to_string()));
    println!("{:?} {:?} {:?}", head[0].split(' ').next(), times, length);
    let digits = times[0].split('.').nth(1).map_or(0, |rest| rest.trim_end_matches('Z').len());
    let same = head[0].starts_with("POST ")
        && query.contains("FlowName=f")
        && times.len() == 2
        && digits == 9
        && times[1] == "2024-01-01T00%3A00%3A00Z"
        && length.map_or(true, |n| n == "0");
    std::process::exit(if same { 0 } else { 1 });
}
RS
cargo run -q
