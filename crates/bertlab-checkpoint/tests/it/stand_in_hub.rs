//! A small stand-in for the model hub on loopback: the few answers that `hf-hub` needs, and faults on demand.

#![allow(dead_code)] // Each crate uses its part.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The commit that every revision of the stand-in means.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What the stand-in does wrong.
#[derive(Clone, Default)]
pub struct Faults {
    /// Answer everything with this status.
    pub status: Option<u16>,
    /// How many transfers of a file longer than 1,000 bytes break off in the middle.
    pub n_breaks: usize,
    /// Send the whole file whatever range was asked for, as some proxies do.
    pub ignores_ranges: bool,
    /// Answer requests for files with a redirect to another address, as the hub does for large ones.
    pub redirects: bool,
}

/// One request as it came in.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    pub range: Option<String>,
    pub authorization: Option<String>,
}

struct State {
    /// `models/NAME` or `datasets/NAME`, as the API has it.
    api_name: String,
    /// `NAME` or `datasets/NAME`, as the addresses of files have it.
    name: String,
    /// Another name, from which the hub redirects.
    old_name: Option<String>,
    /// The branch that there is.
    revision: String,
    /// `cardData`, as JSON.
    card: String,
    files: HashMap<String, Vec<u8>>,
    faults: Faults,
    requests: Vec<Request>,
}

/// A running stand-in; it ends with the test's process, or when told to be gone.
pub struct StandInHub {
    pub endpoint: String,
    state: Arc<Mutex<State>>,
}

impl StandInHub {
    pub fn start(name: &str, files: &[(&str, Vec<u8>)], faults: Faults) -> Self {
        Self::serve(State {
            api_name: format!("models/{name}"),
            name: name.into(),
            old_name: None,
            revision: "main".into(),
            card: "{}".into(),
            files: contents_of(files),
            faults,
            requests: Vec::new(),
        })
    }

    /// A hub with a data set whose card says this, which had another name before.
    pub fn start_dataset(name: &str, old_name: &str, card: &str, files: &[(&str, Vec<u8>)]) -> Self {
        Self::serve(State {
            api_name: format!("datasets/{name}"),
            name: format!("datasets/{name}"),
            old_name: Some(format!("datasets/{old_name}")),
            revision: "main".into(),
            card: card.into(),
            files: contents_of(files),
            faults: Faults::default(),
            requests: Vec::new(),
        })
    }

    fn serve(state: State) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
        let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that hangs up early is part of the tests.
                answer(stream, &shared).ok();
            }
        });
        Self { endpoint, state }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().expect("no test panics while it holds the lock").requests.clone()
    }

    /// From now on the files stand on the branch of the hub's own parquet files, and the main branch holds none.
    pub fn move_to_converted(&self) {
        let mut state = self.state.lock().expect("no test panics while it holds the lock");
        state.revision = "refs%2Fconvert%2Fparquet".into();
    }

    pub fn set_faults(&self, faults: Faults) {
        self.state.lock().expect("no test panics while it holds the lock").faults = faults;
    }
}

fn contents_of(files: &[(&str, Vec<u8>)]) -> HashMap<String, Vec<u8>> {
    files.iter().map(|(name, contents)| (name.to_string(), contents.clone())).collect()
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let request = read_request(&stream)?;
    let mut state = state.lock().expect("answering does not panic");
    state.requests.push(request.clone());
    if let Some(status) = state.faults.status {
        return respond(&mut stream, status, "", b"{}");
    }
    if let Some(old_name) = &state.old_name {
        for (from, to) in [
            (format!("/api/{old_name}/"), format!("/api/{}/", state.api_name)),
            (format!("/{old_name}/"), format!("/{}/", state.name)),
        ] {
            if let Some(rest) = request.path.strip_prefix(&from) {
                return respond(&mut stream, 307, &format!("Location: {to}{rest}\r\n"), b"");
            }
        }
    }
    if state.revision != "main" && request.path == format!("/api/{}/revision/main", state.api_name) {
        let listing = format!(r#"{{"sha":"{COMMIT}","siblings":[{{"rfilename":"imdb.py"}}]}}"#);
        return respond(&mut stream, 200, "", listing.as_bytes());
    }
    if request.path == format!("/api/{}/revision/{}", state.api_name, state.revision) {
        let mut names: Vec<_> = state.files.keys().collect();
        names.sort();
        let siblings: Vec<_> = names.iter().map(|name| format!(r#"{{"rfilename":"{name}"}}"#)).collect();
        let listing =
            format!(r#"{{"sha":"{COMMIT}","cardData":{},"siblings":[{}]}}"#, state.card, siblings.join(","));
        return respond(&mut stream, 200, "", listing.as_bytes());
    }
    let prefix = format!("/{}/resolve/{COMMIT}/", state.name);
    let name = request.path.strip_prefix(&prefix).or_else(|| request.path.strip_prefix("/store/"));
    let Some((name, contents)) = name.and_then(|name| Some((name, state.files.get(name)?.clone()))) else {
        return respond(&mut stream, 404, "", b"{}");
    };
    let identity =
        format!("ETag: \"etag-of-{}\"\r\nX-Repo-Commit: {COMMIT}\r\n", name.replace(['/', '.'], "-"));
    if state.faults.redirects && !request.path.starts_with("/store/") {
        let address = stream.local_addr()?;
        let location = format!("{identity}Location: http://{address}/store/{name}\r\n");
        return respond(&mut stream, 302, &location, b"");
    }
    send_file(&mut stream, &request, &contents, &identity, &mut state.faults)
}

fn send_file(
    stream: &mut TcpStream,
    request: &Request,
    contents: &[u8],
    identity: &str,
    faults: &mut Faults,
) -> std::io::Result<()> {
    let range = request.range.as_deref().and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let (start, end) = range.unwrap_or(("0", ""));
    let is_probe = end == "0";
    let ignored = faults.ignores_ranges && !is_probe;
    let start = if ignored { 0 } else { start.parse().unwrap_or(0) };
    if start >= contents.len() {
        return respond(stream, 416, identity, b"");
    }
    let end = if is_probe { start + 1 } else { contents.len() };
    let headers = format!("{identity}Content-Range: bytes {start}-{}/{}\r\n", end - 1, contents.len());
    let body = &contents[start..end];
    if faults.n_breaks > 0 && body.len() > 1000 {
        faults.n_breaks -= 1;
        let head = head(206, &headers, body.len());
        stream.write_all(head.as_bytes())?;
        return stream.write_all(&body[..body.len() / 2]);
    }
    respond(stream, if ignored { 200 } else { 206 }, &headers, body)
}

fn read_request(stream: &TcpStream) -> std::io::Result<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut request = Request { path, range: None, authorization: None };
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(": ") else { continue };
        match &*name.to_ascii_lowercase() {
            "range" => request.range = Some(value.into()),
            "authorization" => request.authorization = Some(value.into()),
            _ => {}
        }
    }
    Ok(request)
}

fn respond(stream: &mut TcpStream, status: u16, headers: &str, body: &[u8]) -> std::io::Result<()> {
    stream.write_all(head(status, headers, body.len()).as_bytes())?;
    stream.write_all(body)
}

fn head(status: u16, headers: &str, length: usize) -> String {
    format!("HTTP/1.1 {status} Answer\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n")
}
