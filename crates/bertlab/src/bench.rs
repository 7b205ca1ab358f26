//! How fast a model runs here, beside what the machine could do at best.

use std::time::{Duration, Instant};

use bertlab_compute::peak::operations_per_second;
use bertlab_compute::random::Generator;
use bertlab_model::{Batch, EncoderSpec, Gradients, HeadGradient, Model, Request, Row, Training};
use bertlab_train::machine::peak_resident_bytes;
use bertlab_train::{Optimizer, TrainingArguments};

use crate::Error;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct BenchJob {
    /// Rows.
    pub batch: usize,
    /// Tokens of each.
    pub seq: usize,
    /// A whole training step (forward, backward, update) instead of a forward pass.
    pub train: bool,
    /// Counted runs, after two that are not.
    pub n_runs: usize,
}

/// What was measured.
#[derive(Clone, Debug, serde::Serialize)]
pub struct BenchResult {
    /// Of the counted runs.
    pub median_ms: f64,
    /// The fastest.
    pub min_ms: f64,
    /// The slowest.
    pub max_ms: f64,
    /// At the median.
    pub tokens_per_second: f64,
    /// Of the encoder, at the median: 2 for every multiply-add, a training step counts three forward passes.
    pub gflops: f64,
    /// What the processor's multiply-add units gave in the same run, all threads.
    pub ceiling_gflops: f64,
    /// The most memory that the process has held; unknown where the system does not tell.
    pub peak_rss_mb: Option<f64>,
}

/// Measures.
///
/// # Errors
/// Rows longer than the model takes; a training step in a dtype that does not train.
pub fn bench(model: &mut Model, job: BenchJob) -> Result<BenchResult, Error> {
    if job.train {
        model.check_trains()?;
    }
    let batch = random_batch(&model.spec.encoder, job)?;
    let mut step = Step::new(model, job.train);
    let mut times: Vec<Duration> = (0..job.n_runs + 2)
        .map(|_| {
            let start = Instant::now();
            step.run(model, &batch);
            start.elapsed()
        })
        .skip(2)
        .collect();
    times.sort_unstable();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let median = times[times.len() / 2].as_secs_f64();
    let passes = if job.train { 3.0 } else { 1.0 };
    Ok(BenchResult {
        median_ms: median * 1e3,
        min_ms: ms(times[0]),
        max_ms: ms(times[times.len() - 1]),
        tokens_per_second: batch.n_tokens() as f64 / median,
        gflops: passes * model.spec.encoder.forward_flops(vec![job.seq; job.batch]) / median / 1e9,
        ceiling_gflops: operations_per_second(model.dtype().dense_precision(), Duration::from_millis(300))
            / 1e9,
        peak_rss_mb: peak_resident_bytes().map(|bytes| bytes as f64 / f64::from(1 << 20)),
    })
}

fn random_batch(spec: &EncoderSpec, job: BenchJob) -> Result<Batch, Error> {
    let mut generator = Generator::new(1);
    let rows: Vec<Vec<u32>> = (0..job.batch)
        .map(|_| (0..job.seq).map(|_| generator.below(spec.vocab_size) as u32).collect())
        .collect();
    let rows: Vec<Row<'_>> = rows.iter().map(|ids| Row { input_ids: ids, ..Row::default() }).collect();
    Ok(Batch::new(spec, &rows)?)
}

/// One thing that is timed.
enum Step {
    Forward,
    Train(Box<(Gradients, Optimizer)>),
}

impl Step {
    fn new(model: &mut Model, train: bool) -> Self {
        if !train {
            return Self::Forward;
        }
        let optimizer = Optimizer::new(model, &TrainingArguments::default());
        Self::Train(Box::new((Gradients::new(model), optimizer)))
    }

    fn run(&mut self, model: &mut Model, batch: &Batch) {
        let Self::Train(memory) = self else {
            std::hint::black_box(model.forward(batch, Request::default()));
            return;
        };
        let (gradients, optimizer) = &mut **memory;
        gradients.begin(batch.input_ids().iter().copied());
        let training = Training { dropout_key: Some(1), ..Training::default() };
        let (output, kept) = model.forward_keeping(batch, training);
        // Any gradient costs the same: the outputs themselves serve as one.
        let d = HeadGradient { logits: output.logits, ..HeadGradient::default() };
        model.backward(d, batch, kept, gradients);
        model.update(|params| optimizer.step(params, gradients, 1e-6, 1.0));
    }
}
