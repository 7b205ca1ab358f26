//! Answers of a model hub: a server on this machine sends the input to the downloader.

use crate::Answer;
use crate::folder::with_files;
use bertlab_checkpoint::hub::{HubOptions, resolve};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

/// Separates the HTTP answers of an input. Each request gets the next one, and the last one is repeated.
const SEPARATOR: &[u8] = b"\n%%\n";
pub(super) const WORDS: &[&str] = &[
    "\n%%\n",
    "\r\n",
    "ETag: ",
    "X-Linked-Size: ",
    "Location: http://127.0.0.1:PORT/",
    "../",
    "HTTP/1.1 206 Partial Content\r\n",
    "Content-Range: bytes 0-9/10\r\n",
];
/// Stands for the server's port in answers, for redirects.
const PORT: &str = "PORT";

/// Downloads a model whose files and headers are those of the input. Nothing may be written outside the
/// cache.
pub(super) fn answers(input: &[u8]) -> Answer {
    let port = serve(input);
    with_files("hub", &[("beside", b"")], |folder| {
        let cache = folder.join("cache");
        let _ = fs::remove_dir_all(&cache); // Absent at the first input.
        let options = HubOptions {
            cache: Some(cache),
            endpoint: Some(format!("http://127.0.0.1:{port}")),
            token: Some("hf_secret".to_owned()),
            n_attempts: 1,
            connect_timeout: Some(Duration::from_secs(1)),
            stall_timeout: Some(Duration::from_millis(300)),
            ..HubOptions::default()
        };
        let answer = resolve("organisation/model", &options).into();
        check_folder(folder);
        answer
    })
}

/// Panics if the downloader has written anything beside its cache.
fn check_folder(folder: &Path) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let name = entry.expect("readable").file_name();
        assert!(name == "cache" || name == "beside", "{name:?} was written outside the cache");
    }
}

/// Gives the server new answers, and returns its port.
fn serve(input: &[u8]) -> u16 {
    static PORT: OnceLock<u16> = OnceLock::new();
    static ANSWERS: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
    let mut answers = split(input);
    answers.reverse();
    *ANSWERS.lock().expect("nothing panics while it is held") = answers;
    *PORT.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("this machine has a free port");
        let port = listener.local_addr().expect("it is bound").port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut answers = ANSWERS.lock().expect("nothing panics while it is held");
                let next = if answers.len() > 1 { answers.pop() } else { answers.last().cloned() };
                drop(answers);
                answer(stream, &next.unwrap_or_default(), port);
            }
        });
        port
    })
}

fn split(input: &[u8]) -> Vec<Vec<u8>> {
    let mut answers = vec![Vec::new()];
    let mut at = 0;
    while at < input.len() {
        if input[at..].starts_with(SEPARATOR) {
            answers.push(Vec::new());
            at += SEPARATOR.len();
        } else {
            answers.last_mut().expect("it starts with one").push(input[at]);
            at += 1;
        }
    }
    answers
}

/// Reads a request and sends the answer; what the other side does is not our concern.
fn answer(mut stream: TcpStream, answer: &[u8], port: u16) {
    let mut request = [0; 4096];
    let _ = stream.read(&mut request);
    let _ = stream.write_all(&with_port(answer, port));
}

fn with_port(answer: &[u8], port: u16) -> Vec<u8> {
    match answer.windows(PORT.len()).position(|window| window == PORT.as_bytes()) {
        Some(at) => {
            let (before, after) = (&answer[..at], &answer[at + PORT.len()..]);
            [before, port.to_string().as_bytes(), after].concat()
        }
        None => answer.to_vec(),
    }
}
