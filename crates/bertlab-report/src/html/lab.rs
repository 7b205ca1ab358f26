//! `lab-report.html`: the results of the lab "Explore BERT", by task.

use super::{curves, document, facts, figure, head, section, table};
use crate::chart::lines::{Lines, Series};
use crate::chart::scene::{Role, Scene};
use crate::chart::{bars, confusion, heat};
use crate::lab::{LabFacts, LayersFacts, ModelTreeFacts, PairFacts, TokenFacts, WordsFacts};
use crate::markup::Markup;
use crate::number::{date, grouped};
use crate::run::RunReport;
use crate::verdict::verdict;
use bertlab_train::Scores;

/// CSS classes for the colours of words, assigned in turn.
const WORD_COLOURS: [&str; 6] = ["word a", "word b", "word c", "word d", "word e", "word f"];

/// The page of the lab.
pub fn lab_page(lab: &LabFacts) -> String {
    document(&format!("Explore BERT – {}", lab.name), |main| {
        write_header(main, lab);
        section(main, "T1  Modules and parameters", |section| write_model(section, &lab.model));
        section(main, "T2  Words in context", |section| write_words(section, &lab.words));
        section(main, "T3  All hidden states", |section| write_layers(section, &lab.layers));
        if let Some(training) = &lab.training {
            section(main, "T4  Fine-tuning", |section| write_training(section, lab, training));
        }
        section(main, "What to try next", |section| write_next(section, lab));
    })
}

fn write_header(main: &mut Markup, lab: &LabFacts) {
    main.within("header", &[], |header| {
        let line = format!("Lab report · {} · bertlab {}", date(lab.written_at), lab.version);
        header.leaf("p", &[("class", "kind")], &line);
        header.leaf("h1", &[], &format!("Explore BERT, on {}", lab.name));
        header.leaf("p", &[], &lab.introduction);
    });
}

fn write_model(markup: &mut Markup, model: &ModelTreeFacts) {
    markup.within("div", &[("class", "tiles")], |tiles| {
        let mut tile = |value: String, words: &str| {
            tiles.within("div", &[], |tile| {
                tile.leaf("b", &[], &value);
                tile.leaf("span", &[], words);
            });
        };
        for (name, count, printed) in model.counts {
            let words = match printed {
                Some(printed) if printed == count => format!("{name}, as in the lab"),
                Some(printed) => format!("{name}; the lab: {}", grouped(printed)),
                None => name.to_owned(),
            };
            tile(grouped(count), &words);
        }
        tile(model.n_layers.to_string(), "layers");
        tile(grouped(model.width), "numbers per token (hidden size)");
    });
    markup.within("div", &[("class", "charts")], |charts| {
        let caption = "A model is a set of tensors whose numbers, the parameters, are learned in training.";
        figure(charts, "Where the parameters are", &bars::scene("Parameters by part", &model.parts), caption);
        charts.within("div", &[], |text| {
            text.leaf("h3", &[], "The query matrix of the first layer");
            text.leaf("p", &[], &model.query);
        });
    });
    markup.within("details", &[("open", "")], |details| {
        details.leaf("summary", &[], "Modules with PyTorch's names, and their numbers of parameters");
        details.within("div", &[("class", "tree")], |tree| {
            for line in &model.modules {
                let indent = format!("padding-left:{:.1}em", 1.2 * line.depth as f64);
                tree.within("div", &[("style", &indent)], |row| {
                    row.leaf("code", &[], &line.label);
                    row.leaf("span", &[], &line.count);
                });
            }
        });
    });
}

fn write_words(markup: &mut Markup, words: &WordsFacts) {
    markup.leaf(
        "p",
        &[],
        "The tokenizer splits each sentence into tokens of its vocabulary. Tokens of one word have the same \
         colour; below each token is its id.",
    );
    words.sentences.iter().for_each(|tokens| write_tokens(markup, tokens));
    let padding = format!(
        "Padded to a rectangle, as most tools require, the sentences take {} positions; {} of them are \
         tokens, and only these are computed here.",
        words.n_places, words.n_tokens
    );
    markup.leaf("p", &[("class", "aside")], &padding);
    markup.within("div", &[("class", "charts")], |charts| {
        let caption = "Cosine similarity of the words' vectors in the last layer; colours range from the \
            smallest value to 1.";
        let scene = heat::scene("Cosine similarity of four words", &words.labels, &words.matrix);
        figure(charts, "Similarity of the words", &scene, caption);
        charts.within("div", &[], |side| {
            side.leaf("h3", &[], "The lab's pairs");
            write_pairs(side, &words.pairs);
            if let Some(baseline) = words.baseline {
                let words = format!(
                    "Different tokens of these sentences have a mean cosine of {baseline:.4}. Compare with \
                     this value, not with 0."
                );
                side.leaf("p", &[("class", "aside")], &words);
            }
        });
    });
}

fn write_tokens(markup: &mut Markup, tokens: &[TokenFacts]) {
    markup.within("p", &[("class", "tokens")], |line| {
        for TokenFacts { token, id, word } in tokens {
            let class = word.map_or("word special", |word| WORD_COLOURS[word as usize % WORD_COLOURS.len()]);
            line.within("span", &[("class", class)], |cell| {
                cell.leaf("b", &[], token);
                cell.leaf("i", &[], &id.to_string());
            });
            line.text(" ");
        }
    });
}

/// Writes cosines, beside the lab's figures if it used this model.
fn write_pairs(markup: &mut Markup, pairs: &[PairFacts]) {
    let number =
        |value: Option<f64>| value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.6}"));
    if pairs.iter().all(|pair| pair.printed.is_none()) {
        let rows: Vec<Vec<String>> =
            pairs.iter().map(|pair| vec![pair.name.clone(), number(pair.value)]).collect();
        return table(markup, &["", "cosine"], &rows);
    }
    let row = |pair: &PairFacts| {
        let difference = pair.value.zip(pair.printed).map(|(value, printed)| value - printed);
        let printed = pair.printed.map_or_else(String::new, |printed| format!("{printed:.6}"));
        let difference = difference.map_or_else(String::new, |difference| format!("{difference:+.1e}"));
        vec![pair.name.clone(), number(pair.value), printed, difference]
    };
    table(markup, &["", "cosine", "the lab", "difference"], &pairs.iter().map(row).collect::<Vec<_>>());
}

fn write_layers(markup: &mut Markup, layers: &LayersFacts) {
    let words = format!(
        "There are {} hidden states, each {}: the output of the embeddings and of each layer.",
        layers.n_hidden_states, layers.shape
    );
    markup.leaf("p", &[], &words);
    markup.within("div", &[("class", "charts")], |charts| {
        let caption = "“CPU” in “I have a new CPU!”, compared with itself in the last hidden state, and with \
            “GPU” in “I have a new GPU!” in the same hidden state.";
        figure(charts, "A word through the layers", &layers_scene(layers), caption);
        charts.within("div", &[], |side| {
            side.leaf("h3", &[], "The mean of the last layers");
            write_pairs(side, &layers.pairs);
        });
    });
}

fn layers_scene(layers: &LayersFacts) -> Scene {
    let series = |name: &str, values: &[Option<f32>], role| Series {
        name: name.to_owned(),
        points: (0..)
            .map(f64::from)
            .zip(values.iter().map(|value| value.map_or(f64::NAN, f64::from)))
            .collect(),
        role,
        has_dots: true,
    };
    Lines {
        title: "Cosines by hidden state".to_owned(),
        x_label: "hidden state",
        y_label: "cosine".to_owned(),
        series: vec![
            series("CPU ~ CPU in the last", &layers.towards_last, Role::First),
            series("CPU ~ GPU", &layers.cpu_gpu, Role::Second),
        ],
        level: None,
        last_step: layers.n_hidden_states.saturating_sub(1) as f64,
        from_zero: false,
    }
    .scene()
}

fn write_training(markup: &mut Markup, lab: &LabFacts, training: &RunReport) {
    let verdict = verdict(training);
    let model = format!("{}, {}", training.model.name, training.model.class_name);
    let rows = |index: usize| {
        training.splits.get(index).map_or_else(String::new, |split| {
            format!("{} of {}", grouped(split.n_rows), split.files.join(", "))
        })
    };
    markup.leaf("p", &[("class", "about")], &format!("{}.", verdict.headline));
    head::write_meaning(markup, &verdict);
    facts(markup, &[("model", model), ("training rows", rows(0)), ("evaluation rows", rows(1))]);
    markup.within("div", &[("class", "charts")], |charts| {
        curves::write_first(charts, training, 2);
        if let Some(evaluation) = &training.evaluation
            && let Scores::Classification(scores) = &evaluation.evaluation.scores
            && training.model.labels.len() <= confusion::LABELS_MAX
        {
            let scene = confusion::scene(&training.model.labels, &scores.confusion.counts);
            figure(charts, "Confusion matrix", &scene, "Rows: true labels, columns: predictions.");
        }
    });
    if !lab.beside_the_lab.is_empty() {
        markup.leaf("h3", &[], "Comparison with the lab");
        let rows: Vec<Vec<String>> = lab.beside_the_lab.iter().map(|row| row.to_vec()).collect();
        table(markup, &["", "the lab", "here"], &rows);
    }
    markup.leaf("h3", &[], "Why the lab's accuracy of 1.0 means nothing");
    markup.leaf(
        "p",
        &[],
        "IMDB's files are sorted by label, so the first 5,000 rows of each are all negative. A model that \
         always predicts “negative” is always right: there is nothing to learn, and nothing is measured. \
         bertlab samples rows so that every label keeps its share, and shows an accuracy with its interval \
         and a baseline.",
    );
}

fn write_next(markup: &mut Markup, lab: &LabFacts) {
    for (words, command) in &lab.next {
        markup.leaf("p", &[], words);
        markup.leaf("pre", &[], command);
    }
}
