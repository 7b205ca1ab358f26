//! See `bertlab_fuzz::TARGETS`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: bertlab_fuzz::worker::silence_panics(), |input: &[u8]| {
    let target = bertlab_fuzz::find("vocabulary").expect("a known target");
    (target.read)(input);
});
