//! A checkpoint folder becomes a `Model`, with a report of what came from where.

use crate::dtype::ComputeDtype;
use crate::error::Error;
use crate::families::{Family, FamilyHead};
use crate::finite::NonFiniteWeight;
use crate::model::Model;
use crate::params::Params;
use crate::report::LoadReport;
use crate::spec::{EncoderSpec, HeadKind, HeadSpec, ProblemType, Spec};
use bertlab_checkpoint::{Config, NamedArray, Weights, has_weights, open_config, open_weights};
use bertlab_compute::{SharedData, Tensor};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Which head a checkpoint is opened with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeadChoice {
    /// The one that config.json names; but the bare encoder for a masked-LM checkpoint that also holds a
    /// pooler, or no weights at all, as bert-base-uncased is used.
    #[default]
    AsConfigured,
    /// This one, whatever the config names.
    Kind(HeadKind),
}

/// How a checkpoint is opened.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// Which head.
    pub head: HeadChoice,
    /// Labels of the classifier, instead of the config's.
    pub labels: Option<(ProblemType, Vec<String>)>,
    /// New weights for all that stands on the base model, whatever the file holds. As in HuggingFace, BERT's pooler
    /// belongs to the base model and stays; DistilBERT's `pre_classifier`, RoBERTa's `classifier.dense` and the
    /// layers of a masked-LM head belong to the head.
    pub new_head: bool,
    /// Of new weights.
    pub seed: u64,
    /// Random weights where the folder has none.
    pub allow_random: bool,
    /// Weights that are NaN or infinite are told in the report, instead of refused: for looking at them.
    pub allow_non_finite: bool,
    /// As what the encoder's matrix products are computed.
    pub dtype: ComputeDtype,
}

/// Opens a checkpoint folder.
///
/// # Errors
/// A config that we do not support (which key, which value), missing or damaged weights, a weight of
/// another shape than the config says, a weight that is NaN or infinite.
pub fn open(folder: &Path, options: &OpenOptions) -> Result<(Model, LoadReport), Error> {
    let config = open_config(folder)?;
    let family = Family::of(&config)?;
    let encoder = family.read_encoder(&config)?;
    let weights = match has_weights(folder) {
        false if options.allow_random => None,
        _ => Some(open_weights(folder)?),
    };
    check_room(folder, &encoder, weights.as_ref())?;
    let kind = choose_head(family, &config, options, weights.as_ref())?;
    let head = read_head(family, &config, kind, options)?;
    let spec = Spec { encoder, head };
    let mut params = Params::zeros(&spec);
    let mut report = LoadReport {
        folder: folder.to_path_buf(),
        seed: options.seed,
        renamed_labels: renamed(&config, &spec.head.labels)?,
        ..LoadReport::default()
    };
    match weights {
        Some(weights) => {
            let loader = Loader::new(folder, family, &spec, &weights, options);
            loader.fill(&mut params, &mut report)?;
        }
        None => {
            for weight in params.weights_mut() {
                let (slot, tensor) = weight.parts_mut();
                slot.initialise(tensor, options.seed);
            }
        }
    }
    report.non_finite = non_finite_weight(family, kind, &params);
    if let Some(weight) = report.non_finite.take_if(|_| !options.allow_non_finite) {
        return Err(Error::NonFiniteWeights { folder: folder.to_path_buf(), weight: Box::new(weight) });
    }
    let model = Model::new(family, spec, config.values, params, options.dtype);
    Ok((model, report))
}

/// The first weight that is NaN or infinite.
fn non_finite_weight(family: &Family, kind: HeadKind, params: &Params) -> Option<NonFiniteWeight> {
    let named = params.named().into_iter();
    let tensors: Vec<_> = named.map(|(name, tensor)| (family.name_of(kind, &name), tensor)).collect();
    NonFiniteWeight::find(&tensors)
}

/// Refuses an encoder that there are no weights or no memory for, before memory is asked for: a request that fails
/// would end the program. Smaller differences are told later, weight by weight.
fn check_room(folder: &Path, encoder: &EncoderSpec, weights: Option<&Weights>) -> Result<(), Error> {
    let n_parameters = encoder.n_matrix_entries().expect("sizes that overflow were refused with the config");
    let limit = match weights {
        Some(weights) => {
            let n_found: usize = weights.arrays.values().map(NamedArray::n_elements).sum();
            if n_parameters / 10 <= n_found {
                return Ok(());
            }
            format!("the weights hold {n_found} numbers: do they belong together?")
        }
        None if Vec::<f32>::new().try_reserve_exact(n_parameters).is_ok() => return Ok(()),
        None => "so many random weights do not fit into memory".to_owned(),
    };
    Err(Error::TooLarge { folder: folder.to_path_buf(), n_parameters, limit })
}

fn choose_head(
    family: &Family,
    config: &Config,
    options: &OpenOptions,
    weights: Option<&Weights>,
) -> Result<HeadKind, Error> {
    match options.head {
        HeadChoice::Kind(kind) if family.has_head(kind) => Ok(kind),
        HeadChoice::Kind(kind) => {
            let wanted =
                format!("another family, or another head: {} has no {}", family.model_type, kind.name());
            Err(config.unsupported("model_type", wanted).into())
        }
        HeadChoice::AsConfigured => {
            let kind = family.configured_head(config)?;
            let has_pooler = |weights: &Weights| {
                weights.arrays.keys().any(|name| family.plain_name(name) == "pooler.dense.weight")
            };
            let is_bare = kind == HeadKind::MaskedLm && weights.is_none_or(has_pooler);
            Ok(if is_bare { HeadKind::None } else { kind })
        }
    }
}

fn read_head(
    family: &Family,
    config: &Config,
    kind: HeadKind,
    options: &OpenOptions,
) -> Result<HeadSpec, Error> {
    let FamilyHead { reads, pooler, dropout, predictions } = family.read_head(config, kind)?;
    let (problem_type, labels) = match &options.labels {
        Some((problem_type, labels)) => (*problem_type, labels.clone()),
        None => configured_labels(config)?,
    };
    let is_classifier = kind == HeadKind::SequenceClassification && problem_type == ProblemType::SingleLabel;
    if is_classifier && labels.len() == 1 && !options.new_head {
        return Err(config.unsupported("problem_type", ONE_OUTPUT).into());
    }
    let has_labels = matches!(kind, HeadKind::SequenceClassification | HeadKind::TokenClassification);
    Ok(HeadSpec {
        kind,
        labels: if has_labels { labels } else { Vec::new() },
        problem_type,
        reads,
        pooler,
        dropout,
        predictions,
    })
}

/// What is said of a softmax over one number, which is 1 for every text.
const ONE_OUTPUT: &str = "two labels or more, as one label of one is certain for every text; for a model with one output \
    \"multi_label_classification\" (its probability) or \"regression\" (the number itself)";

/// `problem_type` and `id2label`, with HuggingFace's defaults: two labels; one label means regression. Ids that share a
/// name are told apart by their number: "other (2)", "other (5)".
///
/// # Errors
/// A config whose labels or problem type make no sense.
pub fn configured_labels(config: &Config) -> Result<(ProblemType, Vec<String>), Error> {
    /// More labels than any classifier has; a config beyond it is damaged.
    const LABELS_MAX: usize = 1_000_000;
    let labels = match config.get("id2label") {
        Some(value) => labels_by_id(value).ok_or_else(|| {
            config.unsupported(
                "id2label",
                "an object of names by id: {\"0\": \"negative\", \"1\": \"positive\"}",
            )
        })?,
        None => {
            let n = config.usize("num_labels")?.unwrap_or(2);
            if n == 0 || n > LABELS_MAX {
                return Err(config.unsupported("num_labels", format!("a number in 1..={LABELS_MAX}")).into());
            }
            (0..n).map(|id| format!("LABEL_{id}")).collect()
        }
    };
    let problem_type = match config.string("problem_type")? {
        None if labels.len() == 1 => ProblemType::Regression,
        None => ProblemType::SingleLabel,
        Some(name) => name.parse().map_err(|_| {
            let names = ProblemType::ALL.map(ProblemType::name);
            config.unsupported("problem_type", format!("one of {}", names.join(", ")))
        })?,
    };
    Ok((problem_type, distinct(labels)))
}

/// The names, each id with its own: those that are there twice get their id.
fn distinct(mut names: Vec<String>) -> Vec<String> {
    loop {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        names.iter().for_each(|name| *counts.entry(name).or_default() += 1);
        let repeated: Vec<bool> = names.iter().map(|name| counts[name.as_str()] > 1).collect();
        if !repeated.contains(&true) {
            return names;
        }
        for (id, name) in names.iter_mut().enumerate().filter(|&(id, _)| repeated[id]) {
            *name = format!("{name} ({id})");
        }
    }
}

/// Labels of a model whose names config.json does not have so.
fn renamed(config: &Config, labels: &[String]) -> Result<Vec<String>, Error> {
    let (_, configured) = configured_labels(config)?;
    let written = config.get("id2label").and_then(labels_by_id).unwrap_or_default();
    let is_renamed = |(id, label): &(usize, &String)| {
        configured.get(*id) == Some(*label) && written.get(*id).is_some_and(|name| name != *label)
    };
    Ok(labels.iter().enumerate().filter(is_renamed).map(|(_, label)| label.clone()).collect())
}

fn labels_by_id(value: &serde_json::Value) -> Option<Vec<String>> {
    let object = value.as_object()?;
    let labels: Option<BTreeMap<usize, String>> =
        object.iter().map(|(id, name)| Some((id.parse().ok()?, name.as_str()?.to_owned()))).collect();
    let labels = labels?;
    let is_complete = !labels.is_empty() && labels.keys().enumerate().all(|(i, &id)| i == id);
    is_complete.then(|| labels.into_values().collect())
}

/// Takes the weights of one model out of a file.
struct Loader<'a> {
    folder: &'a Path,
    family: &'static Family,
    spec: &'a Spec,
    weights: &'a Weights,
    options: &'a OpenOptions,
    /// Plain name to the name in the file.
    names: BTreeMap<String, &'a str>,
}

impl<'a> Loader<'a> {
    fn new(
        folder: &'a Path,
        family: &'static Family,
        spec: &'a Spec,
        weights: &'a Weights,
        options: &'a OpenOptions,
    ) -> Self {
        let names = weights.arrays.keys().map(|name| (family.plain_name(name), name.as_str())).collect();
        Self { folder, family, spec, weights, options, names }
    }

    fn fill(&self, params: &mut Params, report: &mut LoadReport) -> Result<(), Error> {
        let mut used = BTreeSet::new();
        let mut missing_encoder = Vec::new();
        let wanted = params.weights_mut();
        let n_wanted = wanted.iter().filter(|weight| weight.slot().is_of_encoder()).count();
        for weight in wanted {
            let (slot, tensor) = weight.parts_mut();
            let name = self.family.name_of(self.spec.head.kind, &slot.name);
            let found = self.find(&name);
            used.extend(found.map(|array| array.name.as_str()));
            let list = match found {
                Some(array) if self.is_of_new_head(&name) && array.shape == tensor.shape() => {
                    &mut report.replaced
                }
                Some(_) if self.is_of_new_head(&name) => &mut report.reshaped,
                Some(array) => {
                    self.take(&name, array, tensor)?;
                    continue;
                }
                None if slot.is_of_encoder() && !slot.is_computed() => {
                    missing_encoder.push(name);
                    continue;
                }
                None => &mut report.new,
            };
            list.push(name);
            slot.initialise(tensor, self.options.seed);
        }
        if let Some(name) = missing_encoder.first() {
            return Err(self.missing(name.clone(), missing_encoder.len(), n_wanted));
        }
        self.describe(&used, report);
        Ok(())
    }

    /// The file's array for one of our names.
    fn find(&self, name: &str) -> Option<&'a NamedArray> {
        let plain = self.family.plain_name(name);
        let alias = plain.strip_suffix(".bias").map(|rest| format!("{rest}.decoder.bias"));
        let found = self.names.get(&plain).or_else(|| self.names.get(&alias?));
        found.and_then(|&name| self.weights.arrays.get(name))
    }

    fn is_of_new_head(&self, name: &str) -> bool {
        self.options.new_head && self.family.is_of_head(self.spec.head.kind, name)
    }

    /// Puts the array's numbers into the tensor.
    fn take(&self, name: &str, array: &NamedArray, tensor: &mut Tensor) -> Result<(), Error> {
        if array.shape != tensor.shape() {
            return Err(Error::WrongShape {
                folder: self.folder.to_path_buf(),
                name: name.to_owned(),
                wanted: tensor.shape().to_vec(),
                found: array.shape.clone(),
            });
        }
        *tensor = if array.as_f32().is_some() {
            Tensor::from_shared(&array.shape, Arc::new(MappedArray(array.clone())))
        } else {
            Tensor::from_vec(&array.shape, array.to_f32()?)
        };
        Ok(())
    }

    fn missing(&self, name: String, n_missing: usize, n_wanted: usize) -> Error {
        Error::MissingWeight {
            folder: self.folder.to_path_buf(),
            name,
            n_missing,
            n_wanted,
            found: self.weights.arrays.keys().next().map_or("nothing", String::as_str).to_owned(),
            family: self.family.model_type,
            n_layers: self.spec.encoder.n_layers,
        }
    }

    fn describe(&self, used: &BTreeSet<&str>, report: &mut LoadReport) {
        report.format = Some(self.weights.format.to_string());
        let dtypes: BTreeSet<String> =
            self.weights.arrays.values().map(|array| array.dtype.to_string()).collect();
        report.dtypes = dtypes.into_iter().collect();
        report.n_bytes = self.weights.arrays.values().map(|array| array.bytes.len()).sum();
        for name in self.weights.arrays.keys() {
            if name.ends_with(".gamma") || name.ends_with(".beta") {
                report.n_old_names += 1;
            }
            if used.contains(name.as_str()) {
                continue;
            }
            let is_redundant = name.ends_with("position_ids") || self.is_tied(name);
            let list = if is_redundant { &mut report.redundant } else { &mut report.unused };
            list.push(name.clone());
        }
    }

    /// Whether a name of the file is another name of a weight that the model has.
    fn is_tied(&self, name: &str) -> bool {
        let head = &self.spec.head;
        if !head.has_predictions() {
            return false;
        }
        let plain = self.family.plain_name(name);
        let decoder = |part: &str| self.family.name_of(head.kind, &format!("cls.predictions.decoder.{part}"));
        plain == decoder("bias") || (head.is_tied() && plain == decoder("weight"))
    }
}

/// A file's numbers, read in place.
struct MappedArray(NamedArray);

impl SharedData for MappedArray {
    fn as_f32(&self) -> &[f32] {
        self.0.as_f32().expect("only arrays that can be read in place are wrapped")
    }
}
