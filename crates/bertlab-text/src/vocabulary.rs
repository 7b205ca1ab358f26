//! Vocabulary files and their models: vocab.txt → WordPiece, vocab.json and merges.txt → byte-level BPE.

use std::collections::HashMap;

use serde_json::json;
use tokenizers::Tokenizer as Backend;
use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::decoders::wordpiece::WordPiece as WordPieceDecoder;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::PostProcessorWrapper;
use tokenizers::processors::roberta::RobertaProcessing;
use tokenizers::processors::template::TemplateProcessing;

use crate::Error;
use crate::config::Settings;
use crate::files::{self, Files};

/// A token and its id.
type TokenId = (String, u32);

/// Reads vocab.txt: one token per line; the id is the line number, from 0. For a repeated token the last line
/// counts.
///
/// Lines end with `\n`, `\r\n` or `\r`, as in Python. Spaces and empty lines are tokens.
pub(crate) fn read_vocab_txt(files: &Files) -> Result<Option<HashMap<String, u32>>, Error> {
    let Some(text) = files.text(files::VOCAB_TXT)? else {
        return Ok(None);
    };
    let unified = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines = unified.strip_suffix('\n').unwrap_or(&unified);
    if lines.trim().is_empty() {
        return Err(Error::EmptyVocabulary { file: files.path(files::VOCAB_TXT) });
    }
    let too_long = "a vocabulary has fewer than 2^32 lines";
    let tokens = lines
        .split('\n')
        .enumerate()
        .map(|(id, token)| (token.to_owned(), u32::try_from(id).expect(too_long)));
    Ok(Some(tokens.collect()))
}

/// A BertTokenizer without added tokens and post-processor.
pub(crate) fn bert_backend(vocab: HashMap<String, u32>, unknown: String, settings: &Settings) -> Backend {
    let model = WordPiece::builder().vocab(vocab.into_iter().collect::<Vocab>()).unk_token(unknown).build();
    let mut backend = Backend::new(model.expect("building from a map reads no file and cannot fail"));
    backend
        .with_normalizer(Some(bert_normalizer(settings)))
        .expect("there are no added tokens yet whose normalization could fail");
    backend.with_pre_tokenizer(Some(BertPreTokenizer));
    backend.with_decoder(Some(WordPieceDecoder::default()));
    backend
}

/// The normalizer of BertTokenizerFast for these settings.
pub(crate) fn bert_normalizer(settings: &Settings) -> BertNormalizer {
    const CLEAN_TEXT: bool = true;
    BertNormalizer::new(
        CLEAN_TEXT,
        settings.tokenize_chinese_chars.unwrap_or(true),
        settings.strip_accents.flatten(),
        settings.do_lower_case.unwrap_or(true),
    )
}

/// `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`; token type 1 for B and its separator.
pub(crate) fn bert_post_processor(class: TokenId, separator: TokenId) -> PostProcessorWrapper {
    let token = |token: &TokenId, type_id: u32| json!({"SpecialToken": {"id": token.0, "type_id": type_id}});
    let text = |id: &str, type_id: u32| json!({"Sequence": {"id": id, "type_id": type_id}});
    let single = vec![token(&class, 0), text("A", 0), token(&separator, 0)];
    let pair = [single.clone(), vec![text("B", 1), token(&separator, 1)]].concat();
    let described = |(token, id): &TokenId| json!({"id": token, "ids": [id], "tokens": [token]});
    let special_tokens: serde_json::Map<_, _> =
        [&class, &separator].into_iter().map(|token| (token.0.clone(), described(token))).collect();
    // Built from JSON: the crate's notation ("[CLS]:0") cannot express tokens with a colon.
    let template: TemplateProcessing = serde_json::from_value(json!({
        "type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": special_tokens,
    }))
    .expect("this is the crate's own format");
    template.into()
}

/// A RobertaTokenizer without added tokens and post-processor; `None` if one of its files is missing.
pub(crate) fn roberta_backend(files: &Files, settings: &Settings) -> Result<Option<Backend>, Error> {
    let (Some(_), Some(merges)) = (files.get(files::VOCAB_JSON), files.text(files::MERGES_TXT)?) else {
        return Ok(None);
    };
    let vocab = read_vocab_json(files)?;
    // As in HuggingFace, the first line is the version, and text after the last line end is ignored.
    let unified = merges.replace("\r\n", "\n");
    let lines: Vec<&str> = unified.split('\n').collect();
    let merge_lines = lines.get(1..lines.len() - 1).unwrap_or_default();
    let wrong = |reason: String| Error::Unusable { file: files.path(files::MERGES_TXT), reason };
    let pairs = merge_lines.iter().enumerate().map(|(index, line)| {
        let mut parts = line.split_whitespace();
        match (parts.next(), parts.next(), parts.next()) {
            (Some(left), Some(right), None) => Ok((left.to_owned(), right.to_owned())),
            _ => Err(wrong(format!("line {} is not two pieces with a space between: {line:?}", index + 2))),
        }
    });
    let pairs = pairs.collect::<Result<Vec<_>, _>>()?;
    let builder = BPE::builder()
        .vocab_and_merges(vocab.into_iter().collect::<Vocab>(), pairs)
        .continuing_subword_prefix(String::new())
        .end_of_word_suffix(String::new());
    let mut backend = Backend::new(builder.build().map_err(|error| wrong(error.to_string()))?);
    let add_prefix_space = settings.add_prefix_space.unwrap_or(false);
    backend.with_pre_tokenizer(Some(ByteLevel::default().add_prefix_space(add_prefix_space)));
    backend.with_decoder(Some(ByteLevel::default()));
    Ok(Some(backend))
}

/// `<s> A </s>` and `<s> A </s></s> B </s>`; token type 0 for all tokens.
pub(crate) fn roberta_post_processor(
    class: TokenId,
    separator: TokenId,
    settings: &Settings,
) -> PostProcessorWrapper {
    RobertaProcessing::new(separator, class)
        .add_prefix_space(settings.add_prefix_space.unwrap_or(false))
        .trim_offsets(settings.trim_offsets.unwrap_or(true))
        .into()
}

fn read_vocab_json(files: &Files) -> Result<HashMap<String, u32>, Error> {
    let object = files.object(files::VOCAB_JSON)?;
    let file = || files.path(files::VOCAB_JSON);
    if object.is_empty() {
        return Err(Error::EmptyVocabulary { file: file() });
    }
    let ids = object.iter().map(|(token, id)| {
        let number = id.as_u64().and_then(|id| u32::try_from(id).ok());
        let wanted = "an id, 0 or more";
        let wrong = || Error::Setting { file: file(), key: token.clone(), wanted, found: files::shown(id) };
        Ok((token.clone(), number.ok_or_else(wrong)?))
    });
    ids.collect()
}

/// Tokens of the vocabulary that differ from a missing token only in case, brackets and surrounding spaces.
/// Plain words ("pad", "mask") are excluded, since every vocabulary has them.
pub(crate) fn near_misses(vocab: &HashMap<String, u32>, missing: &[String]) -> Vec<String> {
    let bare = |token: &str| -> String {
        token.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let wanted: Vec<String> =
        missing.iter().map(|token| bare(token)).filter(|token| !token.is_empty()).collect();
    let mut near: Vec<String> = vocab
        .keys()
        .filter(|token| token.chars().any(|c| !c.is_alphanumeric()) && !token.starts_with("##"))
        .filter(|token| wanted.contains(&bare(token)))
        .cloned()
        .collect();
    near.sort();
    near
}
