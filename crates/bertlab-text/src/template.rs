//! Checks of post-processors from a file: the `tokenizers` crate panics on inconsistent templates.

use serde_json::Value;
use tokenizers::processors::PostProcessorWrapper;

/// Checks that a template uses only texts and special tokens that exist; the error names the one that does
/// not.
pub(crate) fn check(processor: &PostProcessorWrapper) -> Result<(), String> {
    let json = serde_json::to_value(processor).map_err(|error| error.to_string())?;
    let n_templates = check_json(&json)?;
    if n_templates > 1 {
        return Err("post_processor: a sequence may contain one template, this has several".to_owned());
    }
    Ok(())
}

/// Returns the number of templates. Sequences of processors may be nested.
fn check_json(processor: &Value) -> Result<usize, String> {
    match processor["type"].as_str() {
        Some("TemplateProcessing") => check_template(processor).map(|()| 1),
        Some("Sequence") => processor["processors"].as_array().into_iter().flatten().map(check_json).sum(),
        _ => Ok(0),
    }
}

fn check_template(template: &Value) -> Result<(), String> {
    for (name, allowed) in [("single", &["A"][..]), ("pair", &["A", "B"])] {
        for piece in template[name].as_array().into_iter().flatten() {
            if let Some(text) = piece["Sequence"]["id"].as_str()
                && !allowed.contains(&text)
            {
                return Err(format!("post_processor: `{name}` uses sequence {text}, which it does not have"));
            }
            if let Some(token) = piece["SpecialToken"]["id"].as_str() {
                check_special_token(name, token, &template["special_tokens"][token])?;
            }
        }
    }
    Ok(())
}

fn check_special_token(name: &str, token: &str, described: &Value) -> Result<(), String> {
    let (Some(ids), Some(tokens)) = (described["ids"].as_array(), described["tokens"].as_array()) else {
        return Err(format!(
            "post_processor: `{name}` uses {token:?}, which `special_tokens` does not describe"
        ));
    };
    if ids.len() != tokens.len() {
        return Err(format!("post_processor: {token:?} has {} ids but {} tokens", ids.len(), tokens.len()));
    }
    Ok(())
}
