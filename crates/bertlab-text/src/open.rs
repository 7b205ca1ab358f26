//! A tokenizer folder → [`Tokenizer`], with what HuggingFace's fast tokenizer classes change at opening.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokenizers::models::ModelWrapper;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::processors::PostProcessorWrapper;
use tokenizers::utils::padding::PaddingDirection;
use tokenizers::utils::truncation::TruncationDirection;
use tokenizers::{AddedToken, Model, Tokenizer as Pieces};

use crate::config::{Class, Settings};
use crate::files::{self, Files};
use crate::special::{Naming, Role, SpecialToken, TokenSpec};
use crate::{Error, Keep, Tokenizer, template, vocabulary};

/// The parts of a tokenizer while it is being opened.
struct Parts {
    pieces: Pieces,
    /// The file that holds the vocabulary, for messages.
    vocabulary_file: PathBuf,
    class: Class,
    /// tokenizer.json as it was read describes what is in use.
    json_is_current: bool,
    from_json: bool,
}

impl Tokenizer {
    /// Opens a folder with tokenizer.json, or vocab.txt, or vocab.json and merges.txt, and their settings files
    /// (tokenizer_config.json, special_tokens_map.json, added_tokens.json), as transformers 4.57 does it for its fast
    /// tokenizers. Truncation and padding stored in tokenizer.json are switched off.
    ///
    /// # Errors
    /// No such file; a file that is unreadable, not UTF-8, empty or not valid; a vocabulary that lacks the special
    /// tokens; added tokens that do not belong to the vocabulary.
    pub fn open(folder: &Path) -> Result<Tokenizer, Error> {
        let files = Files::read(folder)?;
        let mut settings = Settings::read(&files)?;
        let mut parts = match files.get(files::TOKENIZER_JSON) {
            Some(bytes) => open_json(&files, bytes, &mut settings)?,
            None => open_vocabulary(&files, &settings)?,
        };
        let special_tokens = name_special_tokens(&parts, &settings)?;
        add_tokens(&mut parts, &settings, &special_tokens, &files)?;
        match parts.class {
            Class::Bert if parts.from_json => apply_bert_settings(&mut parts, &settings)?,
            Class::Roberta if parts.from_json => apply_roberta_settings(&mut parts, &settings),
            _ => {}
        }
        apply_prefix_space(&mut parts, &settings);
        finish(parts, settings, special_tokens, files)
    }
}

fn open_json(files: &Files, bytes: &[u8], settings: &mut Settings) -> Result<Parts, Error> {
    let file = files.path(files::TOKENIZER_JSON);
    let mut pieces: Pieces = match serde_json::from_slice(bytes) {
        Ok(pieces) => pieces,
        Err(source) if source.is_data() => return Err(Error::Unusable { file, reason: source.to_string() }),
        Err(source) => return Err(Error::Json { file, source }),
    };
    check_stored_ids(&file, bytes, &pieces)?;
    if let Some(processor) = pieces.get_post_processor() {
        template::check(processor).map_err(|reason| Error::Unusable { file: file.clone(), reason })?;
    }
    let json_is_current = pieces.get_truncation().is_none() && pieces.get_padding().is_none();
    take_stored_sides(&mut pieces, settings);
    let class = settings.class.clone().unwrap_or(Class::Generic);
    Ok(Parts { pieces, vocabulary_file: file, class, json_is_current, from_json: true })
}

/// Of stored truncation and padding only the sides and the padding token outlive opening, as in HuggingFace.
fn take_stored_sides(pieces: &mut Pieces, settings: &mut Settings) {
    if let Some(truncation) = pieces.get_truncation() {
        settings.truncation_side.get_or_insert(truncation.direction);
    }
    if let Some(padding) = pieces.get_padding() {
        let side = match padding.direction {
            PaddingDirection::Left => TruncationDirection::Left,
            PaddingDirection::Right => TruncationDirection::Right,
        };
        settings.padding_side.get_or_insert(side);
        if pieces.token_to_id(&padding.pad_token).is_some() {
            settings.suggest(Role::Padding, &padding.pad_token);
        }
    }
    pieces.with_truncation(None).expect("there is nothing to check in no truncation");
    pieces.with_padding(None);
}

/// The crate gives added tokens the next free ids, whatever the file says: they must be the same.
fn check_stored_ids(file: &Path, bytes: &[u8], pieces: &Pieces) -> Result<(), Error> {
    #[derive(Deserialize)]
    struct Stored {
        #[serde(default)]
        added_tokens: Vec<StoredToken>,
    }
    #[derive(Deserialize)]
    struct StoredToken {
        id: u32,
        content: String,
    }
    let stored: Stored =
        serde_json::from_slice(bytes).map_err(|source| Error::Json { file: file.to_owned(), source })?;
    let wrong = stored.added_tokens.into_iter().find_map(|token| {
        let assigned = pieces.token_to_id(&token.content)?;
        (assigned != token.id).then_some((token, assigned))
    });
    match wrong {
        None => Ok(()),
        Some((StoredToken { id, content }, assigned)) => Err(Error::AddedTokenId {
            file: file.to_owned(),
            token: content,
            declared: id.to_string(),
            assigned,
        }),
    }
}

fn open_vocabulary(files: &Files, settings: &Settings) -> Result<Parts, Error> {
    let has_bpe_files = files.get(files::VOCAB_JSON).is_some() && files.get(files::MERGES_TXT).is_some();
    let class = match &settings.class {
        Some(Class::Other(class)) if has_bpe_files || files.get(files::VOCAB_TXT).is_some() => {
            return Err(Error::UnsupportedClass { folder: files.folder.clone(), class: class.clone() });
        }
        Some(class @ (Class::Bert | Class::Roberta)) => class.clone(),
        _ if files.get(files::VOCAB_TXT).is_none() && has_bpe_files => Class::Roberta,
        _ => Class::Bert,
    };
    let looked_for = match (&settings.class, &class) {
        (Some(Class::Bert), _) => "tokenizer.json or vocab.txt",
        (Some(Class::Roberta), _) => "tokenizer.json, or vocab.json and merges.txt",
        _ => "tokenizer.json, or vocab.txt, or vocab.json and merges.txt",
    };
    let (name, opened) = match class {
        Class::Roberta => (files::VOCAB_JSON, open_bpe(files, settings)?),
        _ => (files::VOCAB_TXT, open_word_pieces(files, settings)?),
    };
    let pieces = opened.ok_or_else(|| Error::NoTokenizer { folder: files.folder.clone(), looked_for })?;
    Ok(Parts { pieces, vocabulary_file: files.path(name), class, json_is_current: false, from_json: false })
}

fn open_word_pieces(files: &Files, settings: &Settings) -> Result<Option<Pieces>, Error> {
    let Some(vocab) = vocabulary::read_vocab_txt(files)? else {
        return Ok(None);
    };
    let wanted = [Role::Unknown, Role::Separator, Role::Padding, Role::Class];
    require_tokens(&files.path(files::VOCAB_TXT), &vocab, settings, &Class::Bert, &wanted)?;
    let unknown = content_of(settings, &Class::Bert, Role::Unknown).expect("required above");
    Ok(Some(vocabulary::bert_pieces(vocab, unknown, settings)))
}

fn open_bpe(files: &Files, settings: &Settings) -> Result<Option<Pieces>, Error> {
    let Some(pieces) = vocabulary::roberta_pieces(files, settings)? else {
        return Ok(None);
    };
    let wanted = [Role::Unknown, Role::Separator, Role::Padding, Role::Class];
    let vocab = pieces.get_vocab(false);
    require_tokens(&files.path(files::VOCAB_JSON), &vocab, settings, &Class::Roberta, &wanted)?;
    Ok(Some(pieces))
}

/// Every wanted role has a token, and it is in the vocabulary or among the added tokens.
fn require_tokens(
    file: &Path,
    vocab: &HashMap<String, u32>,
    settings: &Settings,
    class: &Class,
    wanted: &[Role],
) -> Result<(), Error> {
    let is_there = |token: &str| {
        vocab.contains_key(token) || settings.added_tokens.values().any(|added| added.content == token)
    };
    let looked_for =
        |role: &Role| content_of(settings, class, *role).unwrap_or_else(|| role.key().to_owned());
    let missing: Vec<String> = wanted.iter().map(looked_for).filter(|token| !is_there(token)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let near_misses = vocabulary::near_misses(vocab, &missing);
    Err(Error::MissingSpecialTokens { file: file.to_owned(), missing, near_misses })
}

/// The token of a role as the settings name it, else as the class does.
fn content_of(settings: &Settings, class: &Class, role: Role) -> Option<String> {
    match settings.naming(role) {
        Naming::Token(token) => Some(token.content.clone()),
        Naming::None => None,
        Naming::Unsaid => match class {
            Class::Bert => role.bert_default().map(str::to_owned),
            Class::Roberta => Some(role.roberta_default().to_owned()),
            Class::Generic | Class::Other(_) => None,
        },
    }
}

/// Which token plays which role. A token that only a class's default names may be absent (a vocabulary without
/// `[MASK]` serves all but masked-word prediction); one that the folder names itself may not.
fn name_special_tokens(parts: &Parts, settings: &Settings) -> Result<Vec<(Role, String)>, Error> {
    let named_here: Vec<Role> =
        Role::ALL.into_iter().filter(|role| matches!(settings.naming(*role), Naming::Token(_))).collect();
    let vocab = parts.pieces.get_vocab(true);
    require_tokens(&parts.vocabulary_file, &vocab, settings, &parts.class, &named_here)?;
    if let ModelWrapper::WordPiece(model) = parts.pieces.get_model()
        && !vocab.contains_key(&model.unk_token)
    {
        let file = parts.vocabulary_file.clone();
        let missing = vec![model.unk_token.clone()];
        let near_misses = vocabulary::near_misses(&vocab, &missing);
        return Err(Error::MissingSpecialTokens { file, missing, near_misses });
    }
    let is_there = |token: &String| {
        vocab.contains_key(token) || settings.added_tokens.values().any(|added| added.content == *token)
    };
    let find =
        |role: Role| content_of(settings, &parts.class, role).or_else(|| inferred(parts, settings, role));
    Ok(Role::ALL.into_iter().filter_map(|role| Some((role, find(role).filter(is_there)?))).collect())
}

/// For a bare tokenizer.json, whose class nobody named: the usual names, where they are special tokens in it.
fn inferred(parts: &Parts, settings: &Settings, role: Role) -> Option<String> {
    let nothing_said = *settings.naming(role) == Naming::Unsaid;
    let bare = matches!(parts.class, Class::Generic | Class::Other(_)) && nothing_said;
    let added = parts.pieces.get_added_vocabulary();
    [role.bert_default(), Some(role.roberta_default())]
        .into_iter()
        .flatten()
        .find(|token| bare && added.is_special_token(token))
        .map(str::to_owned)
}

/// Adds the tokens of the settings files that are not added tokens yet: declared ones by their ids, then special ones.
fn add_tokens(
    parts: &mut Parts,
    settings: &Settings,
    special_tokens: &[(Role, String)],
    files: &Files,
) -> Result<(), Error> {
    let mut is_special: Vec<&str> = special_tokens.iter().map(|(_, content)| content.as_str()).collect();
    is_special.extend(settings.additional_special_tokens.iter().map(|token| token.content.as_str()));

    let existing = parts.pieces.get_added_tokens_decoder();
    let is_known = |token: &AddedToken| existing.values().any(|known| known == token);
    let is_name_known = |content: &str| existing.values().any(|known| known.content == content);
    let mut tokens: Vec<AddedToken> = Vec::new();
    for declared in settings.added_tokens.values() {
        if !is_known(&declared.to_added_token(declared.special)) {
            tokens.push(
                declared.to_added_token(declared.special || is_special.contains(&declared.content.as_str())),
            );
        }
    }
    let named = special_tokens.iter().map(|(role, content)| spec_of(settings, *role, content));
    for spec in named.chain(settings.additional_special_tokens.iter().cloned()) {
        let is_new = tokens.iter().all(|token| token.content != spec.content);
        if is_new && !is_name_known(&spec.content) {
            tokens.push(spec.to_added_token(true));
        }
    }
    if tokens.is_empty() {
        return check_declared_ids(parts, settings, files);
    }
    parts.json_is_current = false;
    let unusable = |error: tokenizers::Error| Error::Unusable {
        file: files.path(settings.added_tokens_file),
        reason: error.to_string(),
    };
    parts.pieces.add_tokens(tokens).map_err(unusable)?;
    check_declared_ids(parts, settings, files)?;
    check_no_id_taken_twice(parts, settings, files)
}

/// As in transformers 5, flags come from the settings alone; version 4 gave RoBERTa's mask token `lstrip`.
fn spec_of(settings: &Settings, role: Role, content: &str) -> TokenSpec {
    match settings.naming(role) {
        Naming::Token(spec) => spec.clone(),
        _ => TokenSpec::plain(content),
    }
}

fn check_declared_ids(parts: &Parts, settings: &Settings, files: &Files) -> Result<(), Error> {
    for (declared, token) in &settings.added_tokens {
        let assigned = parts.pieces.token_to_id(&token.content).unwrap_or(*declared);
        if assigned != *declared {
            return Err(Error::AddedTokenId {
                file: files.path(settings.added_tokens_file),
                token: token.content.clone(),
                declared: declared.to_string(),
                assigned,
            });
        }
    }
    Ok(())
}

/// A vocabulary with a token given twice has fewer tokens than ids: the next free id is then not free at all.
fn check_no_id_taken_twice(parts: &Parts, settings: &Settings, files: &Files) -> Result<(), Error> {
    for (&assigned, token) in parts.pieces.get_added_vocabulary().get_added_tokens_decoder() {
        let owner = parts.pieces.get_model().id_to_token(assigned);
        if let Some(owner) = owner.filter(|owner| *owner != token.content) {
            return Err(Error::AddedTokenId {
                file: files.path(settings.added_tokens_file),
                token: token.content.clone(),
                declared: format!("of its own, not that of {owner:?}"),
                assigned,
            });
        }
    }
    Ok(())
}

/// BertTokenizerFast rewrites a BertNormalizer that disagrees with tokenizer_config.json, its defaults included.
fn apply_bert_settings(parts: &mut Parts, settings: &Settings) -> Result<(), Error> {
    let Some(NormalizerWrapper::BertNormalizer(stored)) = parts.pieces.get_normalizer() else {
        return Ok(());
    };
    let mut wanted = vocabulary::bert_normalizer(settings);
    wanted.clean_text = stored.clean_text;
    let agrees = wanted.lowercase == stored.lowercase
        && wanted.strip_accents == stored.strip_accents
        && wanted.handle_chinese_chars == stored.handle_chinese_chars;
    if agrees {
        return Ok(());
    }
    parts.json_is_current = false;
    let file = parts.vocabulary_file.clone();
    let unusable = |error: tokenizers::Error| Error::Unusable { file, reason: error.to_string() };
    parts.pieces.with_normalizer(Some(wanted)).map(|_| ()).map_err(unusable)
}

/// RobertaTokenizerFast does the same with its post-processor.
fn apply_roberta_settings(parts: &mut Parts, settings: &Settings) {
    let Some(PostProcessorWrapper::Roberta(stored)) = parts.pieces.get_post_processor() else {
        return;
    };
    let mut wanted = stored.clone();
    wanted.add_prefix_space = settings.add_prefix_space.unwrap_or(false);
    wanted.trim_offsets = settings.trim_offsets.unwrap_or(true);
    if wanted != *stored {
        parts.json_is_current = false;
        parts.pieces.with_post_processor(Some(wanted));
    }
}

/// Every fast tokenizer sets `add_prefix_space` of a byte-level pre-tokenizer; unsaid counts as false.
fn apply_prefix_space(parts: &mut Parts, settings: &Settings) {
    let Some(PreTokenizerWrapper::ByteLevel(stored)) = parts.pieces.get_pre_tokenizer() else {
        return;
    };
    let wanted = settings.add_prefix_space.unwrap_or(false);
    // A bare tokenizer.json has nobody to say it: there the file's own word counts.
    let is_said = settings.add_prefix_space.is_some() || settings.class.is_some();
    if is_said && stored.add_prefix_space != wanted {
        let rewritten = stored.add_prefix_space(wanted);
        parts.json_is_current = false;
        parts.pieces.with_pre_tokenizer(Some(rewritten));
    }
}

fn finish(
    parts: Parts,
    settings: Settings,
    special_tokens: Vec<(Role, String)>,
    files: Files,
) -> Result<Tokenizer, Error> {
    let Parts { mut pieces, class, from_json, json_is_current, vocabulary_file } = parts;
    let special_tokens: Vec<SpecialToken> = special_tokens
        .into_iter()
        .filter_map(|(role, content)| {
            let id = pieces.token_to_id(&content)?;
            Some(SpecialToken { role, content, id })
        })
        .collect();
    if !from_json {
        pieces.with_post_processor(Some(new_post_processor(&class, &special_tokens, &settings)));
    }
    let last_id = pieces.get_vocab(true).into_values().max();
    let last_id = last_id.ok_or(Error::EmptyVocabulary { file: vocabulary_file })?;
    let post_processor = pieces.get_post_processor().cloned();
    pieces.with_post_processor(None::<PostProcessorWrapper>);
    // BertTokenizer cleans up by default; the fast tokenizer takes that over only when it is made from vocab.txt.
    let cleans_up = settings.clean_up_tokenization_spaces.unwrap_or(!from_json && class == Class::Bert);
    Ok(Tokenizer {
        pieces,
        post_processor,
        special_tokens,
        last_id,
        cleans_up,
        class,
        keep: Keep::of(&settings),
        max_length: settings.model_max_length,
        settings,
        source_files: files.contents,
        json_is_current,
    })
}

fn new_post_processor(
    class: &Class,
    special_tokens: &[SpecialToken],
    settings: &Settings,
) -> PostProcessorWrapper {
    let token_of = |role: Role| {
        let token = special_tokens.iter().find(|token| token.role == role);
        let token = token.expect("opening a vocabulary requires these tokens");
        (token.content.clone(), token.id)
    };
    let (first, separator) = (token_of(Role::Class), token_of(Role::Separator));
    match class {
        Class::Roberta => vocabulary::roberta_post_processor(first, separator, settings),
        _ => vocabulary::bert_post_processor(first, separator),
    }
}
