//! A run's forecast in words: memory, time, and what to do where it does not fit.

use bertlab::train::{Forecast, MemoryForecast, Remedy, TimeForecast};
use chrono::{Local, TimeDelta};

use super::numbers::{bytes, duration, grouped};

/// `1.2 GB at the peak: weights 90.9 MB, ...; 20.1 GB free`
pub fn memory_in_words(memory: &MemoryForecast) -> String {
    let batch = format!("a micro-batch of {} tokens", grouped(memory.batch_tokens));
    let parts = [
        ("weights", memory.weights),
        ("packed copies", memory.packed),
        ("gradients and moments", memory.gradients + memory.moments),
        (batch.as_str(), memory.activations + memory.working),
        ("program and rows", memory.program),
    ];
    let parts = parts.map(|(name, size)| format!("{name} {}", size_of_memory(size))).join(", ");
    let free = memory.free.map_or_else(String::new, |free| format!("; {} free", size_of_memory(free)));
    format!("about {} at the peak ({parts}){free}", size_of_memory(memory.peak))
}

fn size_of_memory(n_bytes: u64) -> String {
    bytes(usize::try_from(n_bytes).unwrap_or(usize::MAX))
}

/// `about 2 min 10 s: training 1 min 40 s, evaluation 30 s`
pub fn time_in_words(time: &TimeForecast) -> String {
    format!("about {}: {}; corrected after three steps", duration(time.seconds()), kinds(time))
}

/// `3 steps done: about 1 min 40 s for training, 30 s for evaluation, ends at 14:32`
pub fn correction_in_words(step: u64, ahead: &TimeForecast) -> String {
    let ends = time_of_day(ahead.seconds()).map_or_else(String::new, |time| format!("; ends at {time}"));
    format!("step {step} done: about {} left ({}){ends}", duration(ahead.seconds()), kinds(ahead))
}

/// Every kind of work that takes a second at least, and training in any case.
fn kinds(time: &TimeForecast) -> String {
    let kinds =
        [("training", time.train_seconds), ("evaluation", time.eval_seconds), ("saving", time.save_seconds)];
    let worth = kinds.iter().filter(|(name, seconds)| *name == "training" || *seconds >= 1.0);
    worth.map(|(name, seconds)| format!("{name} {}", duration(*seconds))).collect::<Vec<_>>().join(", ")
}

/// The clock so many seconds from now, with the day where it is another.
pub fn time_of_day(seconds: f64) -> Option<String> {
    let now = Local::now();
    let then = now.checked_add_signed(TimeDelta::try_milliseconds((seconds * 1e3) as i64)?)?;
    let format = if then.date_naive() == now.date_naive() { "%H:%M" } else { "%a %H:%M" };
    Some(then.format(format).to_string())
}

/// Where the run would not fit: how much is missing, and what fits.
pub fn warning(forecast: &Forecast) -> Option<String> {
    let memory = &forecast.memory;
    let free = memory.free.filter(|_| memory.fits() == Some(false))?;
    let needed = size_of_memory(memory.peak.saturating_sub(memory.held));
    let start =
        format!("the run will not fit: it needs about {needed} more, and {} are free", size_of_memory(free));
    let remedies: Vec<String> = forecast.remedies.iter().map(remedy_in_words).collect();
    Some(match remedies.as_slice() {
        [] => format!(
            "{start}. Even rows one by one, with gradient checkpointing, do not fit: take a smaller model, or train \
             its upper layers alone (--freeze-embeddings --freeze-layers N)"
        ),
        remedies => format!("{start}. These do the same updates and fit: {}", remedies.join("; or ")),
    })
}

fn remedy_in_words(remedy: &Remedy) -> String {
    let mut flags = format!(
        "--per-device-train-batch-size {} --gradient-accumulation-steps {}",
        remedy.per_device_train_batch_size, remedy.gradient_accumulation_steps
    );
    if remedy.gradient_checkpointing {
        flags += " --gradient-checkpointing";
    }
    let slower = match remedy.time_factor {
        factor if factor > 1.01 => format!(", {:.0} % more time", 100.0 * (factor - 1.0)),
        _ => String::new(),
    };
    format!("{flags} ({} at the peak{slower})", size_of_memory(remedy.peak))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast(free: u64, remedies: Vec<Remedy>) -> Forecast {
        let memory = MemoryForecast {
            program: 50_000_000,
            weights: 100_000_000,
            packed: 80_000_000,
            gradients: 100_000_000,
            moments: 200_000_000,
            activations: 400_000_000,
            working: 70_000_000,
            evaluation: 30_000_000,
            peak: 1_000_000_000,
            held: 100_000_000,
            free: Some(free),
            batch_rows: 4,
            batch_tokens: 2048,
        };
        let time = TimeForecast { train_seconds: 100.0, eval_seconds: 30.4, save_seconds: 0.4 };
        Forecast { memory, remedies, time }
    }

    #[test]
    fn memory_and_time_are_said_in_parts() {
        let forecast = forecast(2_000_000_000, Vec::new());
        let words = memory_in_words(&forecast.memory);
        assert!(words.starts_with("about 1.0 GB at the peak (weights 100.0 MB"), "{words}");
        assert!(
            words.contains("gradients and moments 300.0 MB, a micro-batch of 2,048 tokens 470.0 MB"),
            "{words}"
        );
        assert!(words.ends_with("; 2.0 GB free"), "{words}");
        let words = time_in_words(&forecast.time);
        assert_eq!(
            words,
            "about 2 min 11 s: training 1 min 40 s, evaluation 30 s; corrected after three steps"
        );
        assert_eq!(warning(&forecast), None);
    }

    #[test]
    fn what_does_not_fit_is_said_with_what_does() {
        let remedy = Remedy {
            per_device_train_batch_size: 2,
            gradient_accumulation_steps: 4,
            gradient_checkpointing: true,
            peak: 550_000_000,
            time_factor: 4.0 / 3.0,
        };
        let words = warning(&forecast(500_000_000, vec![remedy])).expect("it does not fit");
        for part in [
            "needs about 900.0 MB more, and 500.0 MB are free",
            "--per-device-train-batch-size 2 --gradient-accumulation-steps 4 --gradient-checkpointing (550.0 MB",
            "33 % more time",
        ] {
            assert!(words.contains(part), "`{part}` is not in: {words}");
        }
        assert!(warning(&forecast(500_000_000, Vec::new())).expect("it does not fit").contains("one by one"));
    }
}
