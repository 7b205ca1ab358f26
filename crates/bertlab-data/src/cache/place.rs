//! Where the user's cache lies.

use std::ffi::OsString;
use std::path::PathBuf;

/// The folder for what this program can make again: `$BERTLAB_CACHE`, else `bertlab` in the system's folder for such
/// files (`$XDG_CACHE_HOME` or `~/.cache` on Linux); none where the system names none.
pub fn user_cache() -> Option<PathBuf> {
    user_folder(&|name| std::env::var_os(name), std::env::home_dir())
}

/// `variable` looks up an environment variable; an empty one counts as not set.
fn user_folder(variable: &dyn Fn(&str) -> Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let of_system = || {
        let folder = if cfg!(windows) {
            set("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            home.map(|home| home.join("Library/Caches"))
        } else {
            // The specification wants a relative path to be ignored.
            let named = set("XDG_CACHE_HOME").filter(|folder| folder.is_absolute());
            named.or_else(|| home.map(|home| home.join(".cache")))
        };
        folder.map(|folder| folder.join("bertlab"))
    };
    let folder = set("BERTLAB_CACHE").or_else(of_system)?;
    std::path::absolute(folder).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(variables: &[(&str, &str)], home: Option<&str>) -> Option<PathBuf> {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        user_folder(&variable, home.map(PathBuf::from))
    }

    #[test]
    fn variables_win_over_the_systems_place() {
        let own = [("BERTLAB_CACHE", "/own"), ("XDG_CACHE_HOME", "/xdg")];
        assert_eq!(folder(&own, Some("/home/u")), Some(PathBuf::from("/own")));
        let relative = folder(&[("BERTLAB_CACHE", "here")], None).expect("a place");
        assert!(relative.is_absolute() && relative.ends_with("here"));
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn on_linux_xdg_is_honoured() {
        let place = |variables: &[(&str, &str)]| folder(variables, Some("/home/u"));
        assert_eq!(place(&[("XDG_CACHE_HOME", "/xdg")]), Some("/xdg/bertlab".into()));
        for unset in [[("XDG_CACHE_HOME", "")], [("XDG_CACHE_HOME", "relative")], [("BERTLAB_CACHE", "")]] {
            assert_eq!(place(&unset), Some("/home/u/.cache/bertlab".into()));
        }
        assert_eq!(folder(&[], None), None);
    }
}
