//! The model card: README.md of a trained model, with front matter for the hub.
//!
//! It contains no time or machine, so that the same run writes the same files.

use std::fmt::Write;

use crate::number::{counted, figure, grouped, percent};
use crate::run::{RunReport, SplitFacts};
use crate::settings::settings;
use crate::verdict::{listed, verdict};
use bertlab_train::Scores;
use serde_json::{Value, json};

/// Maximum number of labels listed.
const LABELS_MAX: usize = 50;

/// The text of README.md.
pub fn model_card(report: &RunReport) -> String {
    let mut card = front_matter(report);
    let _ = write!(card, "\n# {} for {}\n", plain(&report.model.name), report.model.pipeline);
    what_it_is(&mut card, report);
    results(&mut card, report);
    data(&mut card, report);
    limits(&mut card, report);
    usage(&mut card, report);
    settings_table(&mut card, report);
    card
}

/// The YAML front matter; strings are JSON strings, which are valid YAML.
fn front_matter(report: &RunReport) -> String {
    let model = &report.model;
    let mut yaml = "---\n# license: choose one, for example \"license: apache-2.0\"\n".to_owned();
    match &model.hub_name {
        Some(name) => _ = writeln!(yaml, "base_model: {}", json!(name)),
        None => yaml.push_str("# base_model: the hub name of the model that this one was trained from\n"),
    }
    let _ = writeln!(yaml, "library_name: transformers\npipeline_tag: {}", model.pipeline);
    let _ = writeln!(yaml, "tags:\n- bertlab\n- {}", model.family);
    let figures = card_figures(report);
    if !figures.is_empty() {
        yaml.push_str("metrics:\n");
        figures.iter().for_each(|(name, _)| _ = writeln!(yaml, "- {name}"));
        yaml.push_str(&model_index(report, &figures));
    }
    yaml + "---\n"
}

/// The results in the hub's format.
fn model_index(report: &RunReport, figures: &[(&'static str, f64)]) -> String {
    let (model, facts) = (&report.model, report.evaluation.as_ref());
    let split = facts.map_or("evaluation", |facts| facts.split.as_str());
    let of_split = report.splits.iter().find(|of| of.name.starts_with(split));
    let file = of_split.and_then(|of| of.files.first()).map_or("unnamed", String::as_str);
    let figures = figures.iter().map(|(name, value)| json!({ "type": name, "value": value }));
    let index = json!([{
        "name": format!("{}-{}", model.name, model.pipeline),
        "results": [{
            "task": { "type": model.pipeline },
            "dataset": { "name": file, "type": file, "split": split },
            "metrics": figures.collect::<Vec<Value>>(),
        }],
    }]);
    format!("model-index: {index}\n")
}

/// The metrics that the hub knows, under its names, with their values.
fn card_figures(report: &RunReport) -> Vec<(&'static str, f64)> {
    const KNOWN: [(&str, &str); 9] = [
        ("accuracy", "accuracy"),
        ("f1", "f1"),
        ("f1_macro", "f1_macro"),
        ("matthews_correlation", "matthews_correlation"),
        ("auroc", "roc_auc"),
        ("pearson", "pearsonr"),
        ("spearman", "spearmanr"),
        ("mse", "mse"),
        ("perplexity", "perplexity"),
    ];
    let metrics = report.evaluation.iter().flat_map(|facts| facts.evaluation.metrics()).collect::<Vec<_>>();
    let value =
        |name: &str| metrics.iter().find(|(known, _)| *known == name)?.1.filter(|value| value.is_finite());
    KNOWN.iter().filter_map(|(ours, hubs)| Some((*hubs, value(ours)?))).collect()
}

fn what_it_is(card: &mut String, report: &RunReport) {
    let model = &report.model;
    let _ = write!(
        card,
        "\n{}, {} parameters: {} layers, hidden size {}, up to {} tokens per text. Fine-tuned with bertlab \
         {}.\n",
        model.class_name,
        grouped(model.n_parameters),
        model.n_layers,
        grouped(model.width),
        grouped(model.tokens_max),
        report.repeat.version
    );
    if !model.labels.is_empty() && model.pipeline != "fill-mask" {
        let labels: Vec<String> =
            model.labels.iter().map(|label| format!("`{}`", label.replace(['`', '\n', '\r'], " "))).collect();
        let _ = write!(card, "\nLabels: {}.\n", listed(&labels, LABELS_MAX));
    }
}

fn results(card: &mut String, report: &RunReport) {
    let verdict = verdict(report);
    let _ = write!(card, "\n## Results\n\n**{}.** {}\n", plain(&verdict.headline), plain(&verdict.meaning));
    let Some(facts) = &report.evaluation else { return };
    card.push_str("\n| metric | value |\n|---|---|\n");
    for (name, value) in facts.evaluation.main_metrics() {
        let _ = writeln!(card, "| {name} | {} |", figure(value));
    }
}

fn data(card: &mut String, report: &RunReport) {
    card.push_str("\n## Data\n\n| split | files | rows | truncated rows | labels |\n|---|---|---|---|---|\n");
    for split in &report.splits {
        let labels: Vec<String> =
            split.labels.iter().map(|(label, n)| format!("{} {}", plain(label), grouped(*n))).collect();
        let files: Vec<String> = split.files.iter().map(|file| plain(file)).collect();
        let _ = writeln!(
            card,
            "| {} | {} | {} | {} | {} |",
            split.name,
            listed(&files, 3),
            split.rows_in_words(),
            truncated(split),
            listed(&labels, 12)
        );
    }
}

fn truncated(split: &SplitFacts) -> String {
    match split.n_rows_cut {
        0 => "none".to_owned(),
        n => {
            let share = percent(n as f64 / split.n_rows.max(1) as f64);
            format!("{} ({share}), to {} tokens", grouped(n), split.max_length)
        }
    }
}

/// Known limitations of the model.
fn limits(card: &mut String, report: &RunReport) {
    let mut limits = verdict(report).cautions.iter().map(|caution| plain(caution)).collect::<Vec<_>>();
    for split in report.splits.iter().filter(|split| split.n_rows_cut > 0) {
        let share = percent(split.n_rows_cut as f64 / split.n_rows.max(1) as f64);
        limits.push(format!(
            "{share} of the {} texts were longer than {} tokens and were truncated.",
            split.name, split.max_length
        ));
    }
    if let Some(Scores::Classification(scores)) =
        report.evaluation.as_ref().map(|facts| &facts.evaluation.scores)
    {
        let fewest = scores.classes.iter().map(|class| class.support).min().unwrap_or(0);
        if fewest < 30 {
            limits.push(format!(
                "The rarest label was evaluated on {}: its metrics are uncertain.",
                counted(fewest, "row")
            ));
        }
    }
    let domain = "Metrics apply to texts like the evaluated ones; other languages, domains and periods were \
        not tested.";
    limits.push(domain.to_owned());
    card.push_str("\n## Limitations\n\n");
    limits.iter().for_each(|limit| _ = writeln!(card, "- {limit}"));
}

fn usage(card: &mut String, report: &RunReport) {
    let pipeline = &report.model.pipeline;
    let text = if pipeline == "fill-mask" { "A text with one [MASK] word." } else { "A text." };
    let command = if pipeline == "fill-mask" { "fill-mask" } else { "predict" };
    let python_text = if pipeline == "fill-mask" {
        "f\"A text with one {answer.tokenizer.mask_token} word.\"".to_owned()
    } else {
        format!("{}", json!(text))
    };
    let _ = write!(
        card,
        "\n## Usage\n\nIn the folder of this file, with bertlab:\n\n```sh\nbertlab {command} . \
         {}\n```\n\nWith transformers:\n\n\
         ```python\nfrom transformers import pipeline\n\nanswer = pipeline(\"{pipeline}\", model=\".\")\n\
         print(answer({python_text}))\n```\n",
        json!(text)
    );
}

fn settings_table(card: &mut String, report: &RunReport) {
    let Some(training) = &report.training else { return };
    let all = settings(&training.arguments);
    let changed: Vec<_> = all.iter().filter(|setting| setting.default.is_some()).collect();
    let _ = write!(
        card,
        "\n## Training\n\n{}, seed {}. ",
        counted(training.n_steps as usize, "update step"),
        training.arguments.seed
    );
    if changed.is_empty() {
        card.push_str("All settings have their default values.\n");
        return;
    }
    card.push_str(
        "Settings that differ from the defaults:\n\n| setting | value | default |\n|---|---|---|\n",
    );
    for setting in changed {
        let default = setting.default.as_deref().unwrap_or_default();
        let _ = writeln!(card, "| {} | {} | {} |", setting.name, plain(&setting.value), plain(default));
    }
}

/// Text escaped for Markdown, on one line.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' => out.extend(['\\', character]),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            character if character.is_control() => out.push(' '),
            character => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::ModelFacts;

    #[test]
    fn names_cannot_become_markup_or_yaml() {
        let model = ModelFacts {
            name: "a|<b>\n# c".to_owned(),
            hub_name: Some("x\": y\nz: 1".to_owned()),
            pipeline: "text-classification".to_owned(),
            labels: vec!["`good`".to_owned()],
            ..ModelFacts::default()
        };
        let card = model_card(&RunReport { model, ..RunReport::default() });
        assert!(card.contains("\nbase_model: \"x\\\": y\\nz: 1\"\n"), "{card}");
        assert!(card.contains("# a\\|&lt;b> \\# c for text-classification"), "{card}");
        assert!(card.contains("` good `"), "{card}");
    }
}
