//! What the lab prints, for bert-base-uncased, and how a number is compared with it.

use bertlab_explore::Summary;
use serde::Serialize;

/// Numbers this close are the same: the lab's own two runs differ in the seventh digit.
pub const TOLERANCE: f64 = 1e-5;

/// Rows that the lab trains on, and as many that it evaluates on.
pub const SAMPLES: usize = 5000;

/// Cosines that all lie this close are of the same weights; other weights are nowhere near in all seven.
const LIKENESS: f64 = 0.05;

/// The lab's name of a cosine, and its printed output.
const COSINES: [(&str, f64); 7] = [
    ("cos_cpu_intel", 0.7551644444465637),
    ("cos_gpu_nv", 0.7273839116096497),
    ("cos_cpu_nv", 0.5931226015090942),
    ("cos_gpu_intel", 0.5778647661209106),
    ("cos_cpu_gpu", 0.6914966106414795),
    ("cos_intel_nv", 0.6179742813110352),
    ("cos", 0.900215208530426),
];

/// How many tensors and parameters a model has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Weights; a weight with two names is one.
    pub n_tensors: usize,
    /// Numbers in them.
    pub n_parameters: usize,
}

impl Counts {
    /// What the lab prints.
    pub const PRINTED: Self = Self { n_tensors: 199, n_parameters: 109_482_240 };
}

/// What the lab prints of its T4: DistilBERT, and IMDB's first 5,000 training and test rows, all of them negative.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PrintedTraining {
    /// Update steps; the eight rows after the last were never learnt from.
    pub n_steps: u64,
    /// The mean of all steps' losses.
    pub train_loss: f64,
    /// Of the evaluation.
    pub eval_loss: f64,
    /// Of rows that all have one label.
    pub accuracy: f64,
    /// Training and the evaluation in it, on a GPU.
    pub seconds: f64,
    /// The evaluation in it.
    pub eval_seconds: f64,
}

impl PrintedTraining {
    /// The figures.
    pub const LAB: Self = Self {
        n_steps: 156,
        train_loss: 0.028_273_102_564_689_44,
        eval_loss: 0.001_177_156_809_717_416_8,
        accuracy: 1.0,
        seconds: 3380.5811,
        eval_seconds: 646.4633,
    };
}

/// A cosine, and beside it what the lab prints where that is of the same model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// The lab's name of it: `cos_cpu_intel`.
    pub name: String,
    /// None where a vector has no direction.
    pub value: Option<f64>,
    /// What the lab prints; none for other models, and where the lab prints nothing.
    pub printed: Option<f64>,
    /// `value` - `printed`
    pub difference: Option<f64>,
    /// Whether the difference is within [`TOLERANCE`].
    pub agrees: Option<bool>,
}

impl Figure {
    /// A cosine with nothing beside it.
    pub(super) fn new(name: &str, value: Option<f32>) -> Self {
        let (name, value) = (name.to_owned(), value.map(f64::from));
        Self { name, value, printed: None, difference: None, agrees: None }
    }

    /// What the lab prints under this name.
    fn in_the_lab(&self) -> Option<f64> {
        COSINES.iter().find(|(name, _)| *name == self.name).map(|(_, value)| *value)
    }

    /// Puts the lab's figure beside the value.
    pub(super) fn compare(&mut self) {
        self.printed = self.in_the_lab();
        self.difference = self.value.zip(self.printed).map(|(value, printed)| value - printed);
        self.agrees =
            self.printed.map(|_| self.difference.is_some_and(|difference| difference.abs() <= TOLERANCE));
    }
}

/// Whether the lab's printed figures are of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Likeness {
    /// They are: same sizes, same counts, and cosines that are close.
    BertBaseUncased,
    /// The sizes and counts are, the weights are not: fine-tuned, trained anew, or random.
    SameShape,
    /// Another model.
    Other,
}

impl Likeness {
    /// Of a model with these sizes and these cosines.
    pub(super) fn of(summary: &Summary, figures: &[&Figure]) -> Self {
        let sizes = (summary.n_layers, summary.width, summary.n_heads, summary.inner_width);
        let counts = Counts { n_tensors: summary.n_tensors, n_parameters: summary.n_parameters };
        let has_sizes = sizes == (12, 768, 12, 3072) && summary.vocab_size == 30522;
        if summary.family != "bert" || !has_sizes || counts != Counts::PRINTED {
            return Self::Other;
        }
        let is_close = |figure: &&Figure| {
            let both = figure.value.zip(figure.in_the_lab());
            both.is_some_and(|(value, printed)| (value - printed).abs() <= LIKENESS)
        };
        if figures.iter().all(is_close) { Self::BertBaseUncased } else { Self::SameShape }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Summary {
        Summary {
            family: "bert".to_owned(),
            class: "BertModel".to_owned(),
            head: "none".to_owned(),
            n_tensors: 199,
            n_parameters: 109_482_240,
            n_layers: 12,
            width: 768,
            n_heads: 12,
            inner_width: 3072,
            vocab_size: 30522,
            n_token_types: 2,
            max_tokens: 512,
            activation: "gelu".to_owned(),
            labels: Vec::new(),
            problem_type: None,
            has_pooler: true,
        }
    }

    /// All seven, each `difference` away from what the lab prints.
    fn cosines(difference: f64) -> Vec<Figure> {
        let figure = |(name, value): (&str, f64)| Figure {
            value: Some(value + difference),
            ..Figure::new(name, None)
        };
        COSINES.map(figure).into()
    }

    fn likeness(summary: &Summary, figures: &[Figure]) -> Likeness {
        Likeness::of(summary, &figures.iter().collect::<Vec<_>>())
    }

    #[test]
    fn the_labs_model_is_known_by_sizes_counts_and_cosines() {
        assert_eq!(likeness(&base(), &cosines(2e-7)), Likeness::BertBaseUncased);
        assert_eq!(likeness(&base(), &cosines(-0.01)), Likeness::BertBaseUncased);
        let mut figures = cosines(0.0);
        figures[4].value = Some(0.4);
        assert_eq!(likeness(&base(), &figures), Likeness::SameShape);
        figures[4].value = None;
        assert_eq!(likeness(&base(), &figures), Likeness::SameShape);
        for other in [
            Summary { n_layers: 6, ..base() },
            Summary { n_tensors: 197, ..base() },
            Summary { n_parameters: 109_482_241, ..base() },
            Summary { family: "roberta".to_owned(), ..base() },
        ] {
            assert_eq!(likeness(&other, &cosines(0.0)), Likeness::Other);
        }
    }

    #[test]
    fn figures_agree_within_the_tolerance_alone() {
        for (difference, agrees) in
            [(0.0, true), (9e-6, true), (-9e-6, true), (1.1e-5, false), (-0.02, false)]
        {
            for mut figure in cosines(difference) {
                figure.compare();
                assert_eq!(figure.agrees, Some(agrees), "{figure:?}");
                assert!((figure.difference.expect("both are there") - difference).abs() < 1e-12);
            }
        }
        let mut undefined = Figure::new("cos", None);
        undefined.compare();
        assert_eq!((undefined.difference, undefined.agrees), (None, Some(false)));
        let mut own = Figure::new("cos_layers_only", Some(0.5));
        own.compare();
        assert_eq!((own.printed, own.agrees), (None, None));
    }
}
