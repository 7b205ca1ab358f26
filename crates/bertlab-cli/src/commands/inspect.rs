//! `bertlab inspect`: what a model is made of.

use std::io::Write;

use anyhow::anyhow;
use bertlab::explore::{Module, Summary, TensorStats, summary, tensor_stats};
use bertlab::{Dtype, HeadChoice, HeadKind, LoadReport, OpenOptions, OpenedModel};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::args::{GlobalArguments, ModelArguments, head_parser};
use crate::print::numbers::{bytes, grouped, shape};
use crate::print::{Console, histogram, module_tree, style};

/// Bins of a tensor's histogram.
const N_BINS: usize = 20;

/// Look into a model: sizes, modules, tensors
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab inspect bert-base-uncased
  bertlab inspect ./my-model --tree
  bertlab inspect ./my-model --module encoder.layer.0.attention.self.query
  bertlab inspect ./my-model --tensor embeddings.word_embeddings.weight
  bertlab inspect ./my-model --tensors --json")]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Which head, instead of the one that config.json names
    #[arg(long, value_name = "HEAD", value_parser = head_parser())]
    head: Option<HeadKind>,
    /// The module tree with parameter counts
    #[arg(long)]
    tree: bool,
    /// Every tensor: name, shape, element type, count
    #[arg(long)]
    tensors: bool,
    /// One module, as PyTorch's get_submodule shows it
    #[arg(long, value_name = "PATH")]
    module: Option<String>,
    /// One tensor: shape, mean, standard deviation, extremes, histogram
    #[arg(long, value_name = "NAME")]
    tensor: Option<String>,
    /// Print a JSON object: family, head, n_tensors, n_parameters, dtype, bytes, …
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: Arguments, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let head = arguments.head.map_or(HeadChoice::AsConfigured, HeadChoice::Kind);
    // A model without weights, or with damaged ones, is worth a look, too; the report says what is wrong.
    let open = OpenOptions { head, allow_random: true, allow_non_finite: true, ..OpenOptions::default() };
    let opened = arguments.model.open(open, global)?;
    let facts = Facts::of(&opened);
    if arguments.json {
        return print_json(console, &arguments, &opened, &facts);
    }
    console.report(&opened.report)?;
    if !(arguments.tree || arguments.tensors || arguments.module.is_some() || arguments.tensor.is_some()) {
        return print_facts(console, &facts);
    }
    if arguments.tree {
        module_tree::print(console, &opened.model.module_tree())?;
    }
    if let Some(path) = &arguments.module {
        let tree = opened.model.module_tree();
        writeln!(console.out, "{}", find(&tree, path)?.to_pytorch_text())?;
    }
    if arguments.tensors {
        print_tensors(console, &opened, &facts)?;
    }
    if let Some(name) = &arguments.tensor {
        print_tensor(console, &tensor_stats(&opened.model, name, N_BINS)?)?;
    }
    Ok(())
}

/// The summary; its names are the JSON keys.
#[derive(Serialize)]
struct Facts {
    #[serde(flatten)]
    model: Summary,
    /// Of the file's tensors.
    dtype: String,
    bytes: usize,
    /// None without weights.
    format: Option<String>,
    folder: String,
    report: Vec<String>,
}

impl Facts {
    fn of(opened: &OpenedModel) -> Facts {
        let OpenedModel { model, report, folder, .. } = opened;
        let model = summary(model);
        let has_weights = report.format.is_some();
        Facts {
            dtype: if has_weights { float_types(report) } else { Dtype::F32.to_string() },
            bytes: if has_weights { report.n_bytes } else { model.n_parameters * size_of::<f32>() },
            format: report.format.clone(),
            folder: folder.display().to_string(),
            report: report.messages(),
            model,
        }
    }
}

/// Element types of the weights; integers are buffers (position_ids) and no weights.
fn float_types(report: &LoadReport) -> String {
    let is_float = |name: &&String| {
        let dtype = Dtype::from_safetensors_name(name);
        matches!(dtype, Some(Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16))
    };
    let names: Vec<&str> = report.dtypes.iter().filter(is_float).map(String::as_str).collect();
    names.join(", ")
}

fn print_facts(console: &mut Console, facts: &Facts) -> anyhow::Result<()> {
    let (heading, dim) = (console.style(style::HEADING), console.style(style::DIM));
    let model = &facts.model;
    writeln!(console.out, "{heading}{}{heading:#}  {dim}{}{dim:#}", model.class, facts.folder)?;
    let weights = match &facts.format {
        Some(format) => format!("{}, {}, {format}", facts.dtype, bytes(facts.bytes)),
        None => format!("none in the folder ({} as {})", bytes(facts.bytes), facts.dtype),
    };
    let Summary { n_layers, width, n_heads, inner_width, .. } = model;
    let encoder = format!("{n_layers} layers of width {width}, {n_heads} heads, inner width {inner_width}");
    line(console, "family", &model.family)?;
    line(console, "head", &model.head)?;
    figure(console, "tensors", model.n_tensors)?;
    figure(console, "parameters", model.n_parameters)?;
    line(console, "weights", &weights)?;
    line(console, "encoder", &encoder)?;
    line(console, "vocabulary", &format!("{} tokens", grouped(model.vocab_size)))?;
    line(console, "longest text", &format!("{} tokens", model.max_tokens))?;
    if !model.labels.is_empty() {
        line(console, "labels", &labels(&model.labels))?;
    }
    match &model.problem_type {
        Some(problem_type) => line(console, "problem", problem_type),
        None => Ok(()),
    }
}

fn line(console: &mut Console, name: &str, value: &str) -> anyhow::Result<()> {
    let dim = console.style(style::DIM);
    Ok(writeln!(console.out, "  {dim}{name:<13}{dim:#} {value}")?)
}

fn figure(console: &mut Console, name: &str, value: usize) -> anyhow::Result<()> {
    let figure = console.style(style::FIGURE);
    line(console, name, &format!("{figure}{}{figure:#}", grouped(value)))
}

fn labels(labels: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text = labels[..labels.len().min(SHOWN)].join(", ");
    if labels.len() > SHOWN {
        text += &format!(" and {} more", labels.len() - SHOWN);
    }
    text
}

fn find<'a>(tree: &'a Module, path: &str) -> anyhow::Result<&'a Module> {
    tree.find(path).ok_or_else(|| {
        // The longest beginning of the path that exists, and what could follow.
        let ends = path.char_indices().filter(|&(_, c)| c == '.').map(|(end, _)| end).rev();
        let parent = ends.filter_map(|end| tree.find(&path[..end])).next().unwrap_or(tree);
        let names: Vec<&str> = parent.children.iter().map(|child| child.name.as_str()).collect();
        let place = if parent.path.is_empty() { "the model" } else { &parent.path };
        match names.is_empty() {
            true => {
                anyhow!("there is no module `{path}`: {place} ({}) holds no further modules", parent.class)
            }
            false => anyhow!("there is no module `{path}`; {place} holds {}", names.join(", ")),
        }
    })
}

fn print_tensors(console: &mut Console, opened: &OpenedModel, facts: &Facts) -> anyhow::Result<()> {
    let dim = console.style(style::DIM);
    let tensors = opened.model.named_tensors();
    let width = tensors.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, tensor) in tensors {
        let (shape, dtype, count) = (shape(tensor.shape()), &facts.dtype, grouped(tensor.len()));
        writeln!(console.out, "{name:<width$}  {shape:<13}  {dim}{dtype}{dim:#}  {count:>11}")?;
    }
    Ok(())
}

fn print_tensor(console: &mut Console, stats: &TensorStats) -> anyhow::Result<()> {
    let heading = console.style(style::HEADING);
    writeln!(console.out, "{heading}{}{heading:#}", stats.name)?;
    line(console, "shape", &format!("{}, {} numbers", shape(&stats.shape), grouped(stats.n)))?;
    line(console, "mean", &format!("{:.6}", stats.mean))?;
    line(console, "std", &format!("{:.6}", stats.std))?;
    line(console, "min, max", &format!("{:.6}, {:.6}", stats.min, stats.max))?;
    if stats.n_nan + stats.n_inf > 0 {
        line(
            console,
            "not finite",
            &format!("{} NaN, {} infinite", grouped(stats.n_nan), grouped(stats.n_inf)),
        )?;
    }
    writeln!(console.out)?;
    histogram::print(console, &stats.histogram)
}

fn print_json(
    console: &mut Console,
    arguments: &Arguments,
    opened: &OpenedModel,
    facts: &Facts,
) -> anyhow::Result<()> {
    let Value::Object(mut object) = serde_json::to_value(facts)? else {
        unreachable!("a struct is an object")
    };
    let tree = opened.model.module_tree();
    if arguments.tree {
        object.insert("tree".into(), module_json(&tree));
    }
    if let Some(path) = &arguments.module {
        object.insert("module".into(), described_module(find(&tree, path)?));
    }
    if arguments.tensors {
        let tensor = |(name, tensor): (String, &bertlab::Tensor)| json!({"name": name, "shape": tensor.shape(), "dtype": facts.dtype, "n": tensor.len()});
        object.insert("tensors".into(), opened.model.named_tensors().into_iter().map(tensor).collect());
    }
    if let Some(name) = &arguments.tensor {
        object.insert("tensor".into(), tensor_json(&tensor_stats(&opened.model, name, N_BINS)?));
    }
    console.json_pretty(&object)
}

/// A module without its children.
fn plain_module(module: &Module) -> Map<String, Value> {
    let Module { name, path, class, detail, n_parameters, .. } = module;
    let fields = [
        ("name", json!(name)),
        ("path", json!(path)),
        ("class", json!(class)),
        ("detail", json!(detail)),
        ("n_parameters", json!(n_parameters)),
    ];
    fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn module_json(module: &Module) -> Value {
    let mut object = plain_module(module);
    object.insert("children".into(), module.children.iter().map(module_json).collect());
    Value::Object(object)
}

fn described_module(module: &Module) -> Value {
    let mut object = plain_module(module);
    object.insert("text".into(), json!(module.to_pytorch_text()));
    Value::Object(object)
}

fn tensor_json(stats: &TensorStats) -> Value {
    let TensorStats { name, shape, n, mean, std, min, max, histogram, n_nan, n_inf } = stats;
    json!({
        "name": name, "shape": shape, "n": n, "mean": mean, "std": std, "min": min, "max": max,
        "n_nan": n_nan, "n_inf": n_inf,
        "histogram": {"low": histogram.low, "high": histogram.high, "counts": histogram.counts},
    })
}
