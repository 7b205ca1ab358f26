//! HuggingFace's environment variables, interpreted as in its Python library.

use super::HubOptions;
use super::address::Origin;
use super::names::quoted;
use crate::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::http::Uri;

const PUBLIC_HUB: &str = "https://huggingface.co";
/// Timeouts of DNS resolution and of connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Timeout without received data.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);
const TIMEOUT_MAX: Duration = Duration::from_secs(24 * 3600);

/// Returns the value of an environment variable.
type Lookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Settings of cache and hub.
pub(super) struct Settings {
    /// The absolute path of the cache folder.
    pub cache: PathBuf,
    /// URL of the hub, without a trailing slash.
    pub endpoint: String,
    /// Its scheme, host and port.
    pub origin: Origin,
    pub token: Option<String>,
    /// The setting that disables the network, if any.
    pub offline: Option<&'static str>,
    pub connect_timeout: Duration,
    pub stall_timeout: Duration,
}

impl Settings {
    /// Reads the settings; `variable` looks up an environment variable, and an empty one counts as not set.
    pub(super) fn new(
        options: &HubOptions,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let home = huggingface_home(&set);
        let cache = options.cache.clone().or_else(|| cache_folder(&set, &home));
        let cache = cache.unwrap_or_else(|| home.join("hub"));
        let cache =
            std::path::absolute(&cache).map_err(|source| Error::io(&cache, "find the cache", source))?;
        let endpoint = options.endpoint.clone().or_else(|| set("HF_ENDPOINT"));
        let endpoint = endpoint.unwrap_or_else(|| PUBLIC_HUB.into()).trim().trim_end_matches('/').to_owned();
        let origin = origin(&endpoint)?;
        let token = options.token.clone().or_else(|| token(&set, &home));
        let offline = offline(options, &set);
        let connect_timeout = timeout(options.connect_timeout, &set, "HF_HUB_ETAG_TIMEOUT", CONNECT_TIMEOUT)?;
        let stall_timeout = timeout(options.stall_timeout, &set, "HF_HUB_DOWNLOAD_TIMEOUT", STALL_TIMEOUT)?;
        Ok(Self { cache, endpoint, origin, token, offline, connect_timeout, stall_timeout })
    }
}

fn huggingface_home(set: &Lookup) -> PathBuf {
    let from_cache_home = || set("XDG_CACHE_HOME").map(|cache| Path::new(&cache).join("huggingface"));
    let from_home = || std::env::home_dir().map(|home| home.join(".cache/huggingface"));
    let home = set("HF_HOME").map(PathBuf::from).or_else(from_cache_home).or_else(from_home);
    home.unwrap_or_else(|| PathBuf::from(".cache/huggingface"))
}

fn cache_folder(set: &Lookup, home: &Path) -> Option<PathBuf> {
    let folder = set("HF_HUB_CACHE").or_else(|| set("HUGGINGFACE_HUB_CACHE"));
    folder.map(|folder| if folder == "hub" { home.join("hub") } else { folder.into() })
}

fn origin(endpoint: &str) -> Result<Origin, Error> {
    let address: Option<Uri> = endpoint.parse().ok();
    let plain = address.filter(|address| address.query().is_none() && !endpoint.contains('#'));
    plain.as_ref().and_then(Origin::of).ok_or_else(|| Error::HubSetting {
        setting: "HF_ENDPOINT",
        wanted: "the hub's address, as https://HOST, without user name and `?`",
        found: if endpoint.contains('@') { "an address with `@`".into() } else { quoted(endpoint) },
    })
}

fn timeout(
    given: Option<Duration>,
    set: &Lookup,
    variable: &'static str,
    default: Duration,
) -> Result<Duration, Error> {
    let (Some(text), None) = (set(variable), given) else {
        return Ok(given.unwrap_or(default));
    };
    let seconds = text.trim().parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.filter(|seconds| (Duration::from_millis(1)..=TIMEOUT_MAX).contains(seconds)).ok_or_else(|| {
        Error::HubSetting { setting: variable, wanted: "a number of seconds", found: quoted(&text) }
    })
}

fn token(set: &Lookup, home: &Path) -> Option<String> {
    let from_file = || {
        let file = set("HF_TOKEN_PATH").map_or_else(|| home.join("token"), PathBuf::from);
        // Most users have no token file.
        std::fs::read_to_string(file).ok()
    };
    let token = set("HF_TOKEN").or_else(|| set("HUGGING_FACE_HUB_TOKEN")).or_else(from_file)?;
    let token = token.trim();
    (!token.is_empty()).then(|| token.to_owned())
}

fn offline(options: &HubOptions, set: &Lookup) -> Option<&'static str> {
    let is_true = |name: &str| {
        set(name).is_some_and(|value| matches!(&*value.to_ascii_uppercase(), "1" | "ON" | "YES" | "TRUE"))
    };
    match () {
        () if options.offline => Some("offline was asked for"),
        () if is_true("HF_HUB_OFFLINE") => Some("HF_HUB_OFFLINE is set"),
        () if is_true("TRANSFORMERS_OFFLINE") => Some("TRANSFORMERS_OFFLINE is set"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Settings {
        let lookup = |name: &str| {
            variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| value.to_string())
        };
        Settings::new(&HubOptions::default(), lookup).expect("valid settings")
    }

    #[test]
    fn the_cache_is_where_python_looks_for_it() {
        let cache = |variables: &[(&str, &str)]| settings(variables).cache;
        assert_eq!(cache(&[("HF_HUB_CACHE", "/c"), ("HF_HOME", "/h")]), Path::new("/c"));
        assert_eq!(cache(&[("HUGGINGFACE_HUB_CACHE", "/d"), ("HF_HOME", "/h")]), Path::new("/d"));
        assert_eq!(cache(&[("HF_HOME", "/h"), ("XDG_CACHE_HOME", "/x")]), Path::new("/h/hub"));
        assert_eq!(cache(&[("HF_HOME", ""), ("XDG_CACHE_HOME", "/x")]), Path::new("/x/huggingface/hub"));
        assert!(cache(&[]).ends_with(".cache/huggingface/hub"));
        assert!(cache(&[("HF_HOME", "relative")]).is_absolute());
    }

    #[test]
    fn tokens_come_from_variables_or_files() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("token"), "from-home\n").expect("writable");
        std::fs::write(folder.path().join("elsewhere"), " from-path ").expect("writable");
        let home = folder.path().to_str().expect("UTF-8");
        let path = format!("{home}/elsewhere");
        let token = |variables: &[(&str, &str)]| settings(variables).token;
        assert_eq!(token(&[("HF_HOME", home)]).as_deref(), Some("from-home"));
        assert_eq!(token(&[("HF_HOME", home), ("HF_TOKEN_PATH", &path)]).as_deref(), Some("from-path"));
        assert_eq!(token(&[("HF_HOME", home), ("HF_TOKEN", "direct")]).as_deref(), Some("direct"));
        assert_eq!(token(&[("HF_HOME", "/no/such/home")]), None);
    }

    #[test]
    fn offline_and_endpoint_follow_their_variables() {
        assert_eq!(settings(&[]).offline, None);
        assert_eq!(settings(&[("HF_HUB_OFFLINE", "0")]).offline, None);
        assert_eq!(settings(&[("HF_HUB_OFFLINE", "1")]).offline, Some("HF_HUB_OFFLINE is set"));
        assert_eq!(settings(&[("TRANSFORMERS_OFFLINE", "yes")]).offline, Some("TRANSFORMERS_OFFLINE is set"));
        assert_eq!(settings(&[]).endpoint, "https://huggingface.co");
        assert_eq!(settings(&[("HF_ENDPOINT", "http://mirror/")]).endpoint, "http://mirror");
        for bad in ["mirror", "ftp://mirror", "https://user:word@mirror", "https://mirror?a=b", "https://"] {
            let options = HubOptions { endpoint: Some(bad.into()), ..HubOptions::default() };
            let message = Settings::new(&options, |_| None).err().expect("no address").to_string();
            assert!(message.contains("HF_ENDPOINT") && !message.contains("word"), "{message}");
        }
    }

    #[test]
    fn timeouts_come_from_variables() {
        let seconds =
            |settings: Settings| [settings.connect_timeout, settings.stall_timeout].map(|t| t.as_secs());
        assert_eq!(seconds(settings(&[])), [5, 30]);
        let both = [("HF_HUB_ETAG_TIMEOUT", "7"), ("HF_HUB_DOWNLOAD_TIMEOUT", "90.5")];
        assert_eq!(seconds(settings(&both)), [7, 90]);
        for bad in ["soon", "-1", "0", "nan", "1e300"] {
            let lookup = |name: &str| (name == "HF_HUB_ETAG_TIMEOUT").then(|| bad.to_owned());
            let message = Settings::new(&HubOptions::default(), lookup).err().expect("no number").to_string();
            assert!(message.contains("HF_HUB_ETAG_TIMEOUT") && message.contains(bad), "{message}");
        }
    }
}
