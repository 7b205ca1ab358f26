//! URLs: encoding, redirects, and which of them may receive the access token.

use std::net::IpAddr;
use ureq::http::Uri;

/// Scheme, host and port. Only the hub's own origin receives the access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    is_https: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// The origin of an address; `None` if it is not http or https, or contains a user name.
    pub(super) fn of(address: &Uri) -> Option<Self> {
        let (is_https, default_port) = match address.scheme_str()? {
            "https" => (true, 443),
            "http" => (false, 80),
            _ => return None,
        };
        let authority = address.authority()?;
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return None;
        }
        let host = authority.host().to_ascii_lowercase();
        Some(Self { is_https, host, port: authority.port_u16().unwrap_or(default_port) })
    }

    pub(super) fn is_https(&self) -> bool {
        self.is_https
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Whether the host is the local machine.
    pub(super) fn is_loopback(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        self.host == "localhost" || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }

    /// Whether a secret may be sent: the connection is encrypted or local.
    pub(super) fn is_confidential(&self) -> bool {
        self.is_https || self.is_loopback()
    }
}

/// The target of a redirect from `base`; `None` if it is not an http or https address.
pub(super) fn redirect_target(base: &Uri, location: &str) -> Option<Uri> {
    let location = location.split('#').next()?;
    let (scheme, authority) = (base.scheme_str()?, base.authority()?);
    let before_path = location.split(['/', '?']).next()?;
    let target = if before_path.ends_with(':') {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else if location.starts_with('?') {
        format!("{scheme}://{authority}{}{location}", base.path())
    } else {
        let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{location}")
    };
    let target: Uri = target.parse().ok()?;
    Origin::of(&target).map(|_| target)
}

/// Percent-encodes a text, except for letters, digits, `-_.~` and the bytes in `keep`.
pub(super) fn percent_encoded(text: &str, keep: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || keep.contains(&byte);
    let encode = |byte: u8| if plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(address: &str) -> Option<Origin> {
        Origin::of(&address.parse().ok()?)
    }

    #[test]
    fn origins_differ_by_scheme_host_and_port() {
        let hub = origin("https://hub.example/a").expect("an address");
        for same in ["https://HUB.example", "https://hub.example:443/b?c"] {
            assert_eq!(origin(same), Some(hub.clone()), "{same}");
        }
        for other in [
            "http://hub.example",
            "https://hub.example:8443",
            "https://cdn.hub.example",
            "https://hub.example.evil",
            "https://hub.example@evil",
            "ftp://hub.example",
            "/path",
        ] {
            assert_ne!(origin(other), Some(hub.clone()), "{other}");
        }
        assert_ne!(origin("http://localhost:80"), origin("http://127.0.0.1:80"));
    }

    #[test]
    fn secrets_go_over_https_or_to_this_machine() {
        let confidential = |address: &str| origin(address).expect("an address").is_confidential();
        for address in ["https://hub.example", "http://localhost:1", "http://127.0.0.9", "http://[::1]:80"] {
            assert!(confidential(address), "{address}");
        }
        for address in
            ["http://hub.example", "http://localhost.evil", "http://127.0.0.1.evil", "http://10.0.0.1"]
        {
            assert!(!confidential(address), "{address}");
        }
    }

    #[test]
    fn redirects_are_read_as_browsers_read_them() {
        let base = "https://hub.example:8443/a/b?c=d".parse().expect("an address");
        let target = |location: &str| redirect_target(&base, location).map(|target| target.to_string());
        for (location, wanted) in [
            ("https://cdn.example/x?y#z", "https://cdn.example/x?y"),
            ("//cdn.example/x", "https://cdn.example/x"),
            ("/x/y?url=https://e", "https://hub.example:8443/x/y?url=https://e"),
            ("x?u=a://b", "https://hub.example:8443/a/x?u=a://b"),
            ("?e=f", "https://hub.example:8443/a/b?e=f"),
        ] {
            assert_eq!(target(location).as_deref(), Some(wanted), "{location}");
        }
        for location in
            ["ftp://x/y", "file:///etc/passwd", "https://user:word@cdn.example/", "https://", "a b"]
        {
            assert_eq!(target(location), None, "{location}");
        }
    }

    #[test]
    fn file_names_become_parts_of_addresses() {
        assert_eq!(percent_encoded("a/b c#?%ü.txt", b"/"), "a/b%20c%23%3F%25%C3%BC.txt");
        assert_eq!(percent_encoded("refs/pr/1+a", b""), "refs%2Fpr%2F1%2Ba");
    }
}
