//! A small stand-in for the model hub on loopback: the few answers that are needed, and faults on demand.

#![allow(dead_code)] // Each crate uses its part.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The commit that every revision of the stand-in means.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What the stand-in does wrong.
#[derive(Clone, Default)]
pub struct Faults {
    /// Answer everything with this status.
    pub status: Option<u16>,
    /// How many transfers of a file longer than 1,000 bytes break off in the middle. A client that goes on
    /// with a part asks twice: what the file is, and for the rest.
    pub n_breaks: usize,
    /// Send the whole file whatever range was asked for, as some proxies do.
    pub ignores_ranges: bool,
    /// Answer requests for files with a redirect to `/store/` at this address, as the hub does for large
    /// ones.
    pub redirects_to: Option<String>,
    /// Send this as `Location` instead; an empty text is no location at all.
    pub location: Option<String>,
    /// Redirect the list of files there as well.
    pub redirects_listing: bool,
    /// Etags of files by name; others are `etag-of-NAME`.
    pub etags: Vec<(&'static str, String)>,
    /// Say this in `X-Repo-Commit`.
    pub commit: Option<String>,
    /// Say this in `X-Linked-Size`.
    pub linked_size: Option<String>,
    /// More names in the list of files, as they stand in JSON.
    pub more_names: Vec<&'static str>,
    /// Announce a file but send nothing of it, for so long.
    pub stalls: Option<Duration>,
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

    /// From now on the files stand on the branch of the hub's own parquet files, and the main branch holds
    /// none.
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
    if state.faults.redirects_listing && request.path.starts_with("/api/") {
        let target = state.faults.redirects_to.clone().unwrap_or_default();
        return respond(&mut stream, 307, &format!("Location: {target}{}\r\n", request.path), b"");
    }
    if state.revision != "main" && request.path == format!("/api/{}/revision/main", state.api_name) {
        let listing = format!(r#"{{"sha":"{COMMIT}","siblings":[{{"rfilename":"imdb.py"}}]}}"#);
        return respond(&mut stream, 200, "", listing.as_bytes());
    }
    if request.path == format!("/api/{}/revision/{}", state.api_name, state.revision) {
        let mut names: Vec<_> = state.files.keys().collect();
        names.sort();
        let names = names.into_iter().map(String::as_str).chain(state.faults.more_names.iter().copied());
        let siblings: Vec<_> = names.map(|name| format!(r#"{{"rfilename":"{name}"}}"#)).collect();
        let listing =
            format!(r#"{{"sha":"{COMMIT}","cardData":{},"siblings":[{}]}}"#, state.card, siblings.join(","));
        return respond(&mut stream, 200, "", listing.as_bytes());
    }
    let prefix = format!("/{}/resolve/{COMMIT}/", state.name);
    let name = request.path.strip_prefix(&prefix).or_else(|| request.path.strip_prefix("/store/"));
    let Some((name, contents)) = name.and_then(|name| Some((name, state.files.get(name)?.clone()))) else {
        return respond(&mut stream, 404, "", b"{}");
    };
    let identity = identity_of(name, &state.faults);
    if !request.path.starts_with("/store/") {
        let location = match (&state.faults.location, &state.faults.redirects_to) {
            (Some(location), _) if location.is_empty() => Some(String::new()),
            (Some(location), _) => Some(format!("Location: {location}\r\n")),
            (None, Some(address)) => Some(format!("Location: {address}/store/{name}\r\n")),
            (None, None) => None,
        };
        if let Some(location) = location {
            return respond(&mut stream, 302, &format!("{identity}{location}"), b"");
        }
    }
    if let Some(pause) = state.faults.stalls {
        drop(state);
        stream.write_all(head(200, &identity, contents.len()).as_bytes())?;
        std::thread::sleep(pause);
        return Ok(());
    }
    send_file(&mut stream, &request, &contents, &identity, &mut state.faults)
}

/// The headers that say which file this is.
fn identity_of(name: &str, faults: &Faults) -> String {
    let given = faults.etags.iter().find(|(file, _)| *file == name).map(|(_, etag)| etag.clone());
    let etag = given.unwrap_or_else(|| format!("etag-of-{}", name.replace(['/', '.'], "-")));
    let commit = faults.commit.as_deref().unwrap_or(COMMIT);
    let size = faults.linked_size.as_ref().map(|size| format!("X-Linked-Size: {size}\r\n"));
    format!("ETag: \"{etag}\"\r\nX-Repo-Commit: {commit}\r\n{}", size.unwrap_or_default())
}

fn send_file(
    stream: &mut TcpStream,
    request: &Request,
    contents: &[u8],
    identity: &str,
    faults: &mut Faults,
) -> std::io::Result<()> {
    let range = request.range.as_deref().filter(|_| !faults.ignores_ranges);
    let start = range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    if start.is_some_and(|start: usize| start >= contents.len()) {
        return respond(stream, 416, identity, b"");
    }
    let body = &contents[start.unwrap_or(0)..];
    let (status, headers) = match start {
        None => (200, identity.to_owned()),
        Some(start) => {
            let (last, n) = (contents.len() - 1, contents.len());
            (206, format!("{identity}Content-Range: bytes {start}-{last}/{n}\r\n"))
        }
    };
    if faults.n_breaks > 0 && body.len() > 1000 {
        faults.n_breaks -= 1;
        stream.write_all(head(status, &headers, body.len()).as_bytes())?;
        return stream.write_all(&body[..body.len() / 2]);
    }
    respond(stream, status, &headers, body)
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
