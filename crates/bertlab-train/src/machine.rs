//! What the machine has and what this process holds, where the system tells (Linux).

use std::fs;

/// Bytes of memory that this process holds now.
pub fn resident_bytes() -> Option<u64> {
    of_process("VmRSS:")
}

/// Of these, what belongs to it alone: no pages of files.
pub fn own_bytes() -> Option<u64> {
    of_process("RssAnon:")
}

/// The most that it has ever held.
pub fn peak_resident_bytes() -> Option<u64> {
    of_process("VmHWM:")
}

/// Bytes that this process could still get: what the system can spare, and what a container leaves.
pub fn free_bytes() -> Option<u64> {
    let system = kilobytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:");
    system.into_iter().chain(free_in_container()).min()
}

fn of_process(name: &str) -> Option<u64> {
    kilobytes(&fs::read_to_string("/proc/self/status").ok()?, name)
}

/// The figure of a line like `VmHWM:   12345 kB`, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// A control group's limit less what is used in it; pages of files there can be given back.
fn free_in_container() -> Option<u64> {
    let read = |name: &str| fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok();
    let number = |name: &str| read(name)?.trim().parse::<u64>().ok();
    let limit = number("memory.max")?;
    let of_files = read("memory.stat").and_then(|text| {
        text.lines().find_map(|line| line.strip_prefix("inactive_file ")?.parse::<u64>().ok())
    });
    Some((limit + of_files.unwrap_or(0)).saturating_sub(number("memory.current")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_by_name() {
        let text = "VmPeak:\t  900 kB\nVmHWM:\t   812 kB\nVmRSS:\t   700 kB\n";
        assert_eq!(kilobytes(text, "VmHWM:"), Some(812 * 1024));
        assert_eq!(kilobytes(text, "VmSwap:"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_holds_something_and_more_is_free() {
        let (now, most) =
            (resident_bytes().expect("Linux tells"), peak_resident_bytes().expect("Linux tells"));
        assert!(now > 100_000 && most > 100_000);
        assert!(free_bytes().expect("Linux tells") > 0);
    }
}
