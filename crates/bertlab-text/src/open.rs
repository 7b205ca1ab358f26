//! A tokenizer folder → [`Tokenizer`], with the changes that HuggingFace's fast tokenizer classes make at
//! opening.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokenizers::models::ModelWrapper;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::processors::PostProcessorWrapper;
use tokenizers::utils::padding::PaddingDirection;
use tokenizers::utils::truncation::TruncationDirection;
use tokenizers::{AddedToken, Model, Tokenizer as Backend};

use crate::config::{Class, Settings};
use crate::files::{self, Files};
use crate::special::{Naming, Role, SpecialToken, TokenSpec};
use crate::{Error, Keep, Tokenizer, template, vocabulary};

/// A tokenizer that is being opened.
struct Parts {
    backend: Backend,
    /// The file with the vocabulary, for error messages.
    vocabulary_file: PathBuf,
    class: Class,
    /// Whether tokenizer.json still describes the backend.
    json_is_current: bool,
    from_json: bool,
}

impl Tokenizer {
    /// Opens a folder as transformers 4.57 opens its fast tokenizers.
    ///
    /// It reads tokenizer.json, or vocab.txt, or vocab.json and merges.txt, with the settings in
    /// tokenizer_config.json, special_tokens_map.json and added_tokens.json. Truncation and padding that are
    /// stored in tokenizer.json are ignored.
    ///
    /// # Errors
    /// Missing files; a file that is unreadable, not UTF-8, empty or invalid; a vocabulary without the
    /// special tokens; added tokens whose ids do not follow the vocabulary.
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
    let mut backend: Backend = match serde_json::from_slice(bytes) {
        Ok(backend) => backend,
        Err(source) if source.is_data() => return Err(Error::Unusable { file, reason: source.to_string() }),
        Err(source) => return Err(Error::Json { file, source }),
    };
    check_stored_ids(&file, bytes, &backend)?;
    if let Some(processor) = backend.get_post_processor() {
        template::check(processor).map_err(|reason| Error::Unusable { file: file.clone(), reason })?;
    }
    let json_is_current = backend.get_truncation().is_none() && backend.get_padding().is_none();
    take_stored_sides(&mut backend, settings);
    let class = settings.class.clone().unwrap_or(Class::Generic);
    Ok(Parts { backend, vocabulary_file: file, class, json_is_current, from_json: true })
}

/// Keeps the sides and the padding token of stored truncation and padding, and drops the rest, as HuggingFace
/// does.
fn take_stored_sides(backend: &mut Backend, settings: &mut Settings) {
    if let Some(truncation) = backend.get_truncation() {
        settings.truncation_side.get_or_insert(truncation.direction);
    }
    if let Some(padding) = backend.get_padding() {
        let side = match padding.direction {
            PaddingDirection::Left => TruncationDirection::Left,
            PaddingDirection::Right => TruncationDirection::Right,
        };
        settings.padding_side.get_or_insert(side);
        if backend.token_to_id(&padding.pad_token).is_some() {
            settings.suggest(Role::Padding, &padding.pad_token);
        }
    }
    backend.with_truncation(None).expect("only the parameters of a truncation can be invalid");
    backend.with_padding(None);
}

/// Checks the ids of added tokens: the `tokenizers` crate assigns the next free ids, whatever the file says.
fn check_stored_ids(file: &Path, bytes: &[u8], backend: &Backend) -> Result<(), Error> {
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
        let assigned = backend.token_to_id(&token.content)?;
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
        _ => (files::VOCAB_TXT, open_word_piece(files, settings)?),
    };
    let backend = opened.ok_or_else(|| Error::NoTokenizer { folder: files.folder.clone(), looked_for })?;
    Ok(Parts { backend, vocabulary_file: files.path(name), class, json_is_current: false, from_json: false })
}

fn open_word_piece(files: &Files, settings: &Settings) -> Result<Option<Backend>, Error> {
    let Some(vocab) = vocabulary::read_vocab_txt(files)? else {
        return Ok(None);
    };
    let wanted = [Role::Unknown, Role::Separator, Role::Padding, Role::Class];
    require_tokens(&files.path(files::VOCAB_TXT), &vocab, settings, &Class::Bert, &wanted)?;
    let unknown = content_of(settings, &Class::Bert, Role::Unknown).expect("required above");
    Ok(Some(vocabulary::bert_backend(vocab, unknown, settings)))
}

fn open_bpe(files: &Files, settings: &Settings) -> Result<Option<Backend>, Error> {
    let Some(backend) = vocabulary::roberta_backend(files, settings)? else {
        return Ok(None);
    };
    let wanted = [Role::Unknown, Role::Separator, Role::Padding, Role::Class];
    let vocab = backend.get_vocab(false);
    require_tokens(&files.path(files::VOCAB_JSON), &vocab, settings, &Class::Roberta, &wanted)?;
    Ok(Some(backend))
}

/// Checks that each role has a token in the vocabulary or among the added tokens.
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

/// The token of a role from the settings, or the default of the class.
fn content_of(settings: &Settings, class: &Class, role: Role) -> Option<String> {
    match settings.naming(role) {
        Naming::Token(token) => Some(token.content.clone()),
        Naming::None => None,
        Naming::Unset => match class {
            Class::Bert => role.bert_default().map(str::to_owned),
            Class::Roberta => Some(role.roberta_default().to_owned()),
            Class::Generic | Class::Other(_) => None,
        },
    }
}

/// Assigns tokens to roles. A default of the class may be missing from the vocabulary (without `[MASK]`, all
/// but fill-mask works); a token that the folder names must be there.
fn name_special_tokens(parts: &Parts, settings: &Settings) -> Result<Vec<(Role, String)>, Error> {
    let named_here: Vec<Role> =
        Role::ALL.into_iter().filter(|role| matches!(settings.naming(*role), Naming::Token(_))).collect();
    let vocab = parts.backend.get_vocab(true);
    require_tokens(&parts.vocabulary_file, &vocab, settings, &parts.class, &named_here)?;
    if let ModelWrapper::WordPiece(model) = parts.backend.get_model()
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

/// For a tokenizer.json without a known class: the usual name, if it is one of the file's special tokens.
fn inferred(parts: &Parts, settings: &Settings, role: Role) -> Option<String> {
    let is_unset = *settings.naming(role) == Naming::Unset;
    let bare = matches!(parts.class, Class::Generic | Class::Other(_)) && is_unset;
    let added = parts.backend.get_added_vocabulary();
    [role.bert_default(), Some(role.roberta_default())]
        .into_iter()
        .flatten()
        .find(|token| bare && added.is_special_token(token))
        .map(str::to_owned)
}

/// Adds the tokens of the settings files that the backend lacks: declared tokens by id, then special tokens.
fn add_tokens(
    parts: &mut Parts,
    settings: &Settings,
    special_tokens: &[(Role, String)],
    files: &Files,
) -> Result<(), Error> {
    let mut is_special: Vec<&str> = special_tokens.iter().map(|(_, content)| content.as_str()).collect();
    is_special.extend(settings.additional_special_tokens.iter().map(|token| token.content.as_str()));

    let existing = parts.backend.get_added_tokens_decoder();
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
    parts.backend.add_tokens(tokens).map_err(unusable)?;
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
        let assigned = parts.backend.token_to_id(&token.content).unwrap_or(*declared);
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

/// Checks that no added token has the id of another token. In a vocabulary that lists a token twice, the next
/// id by count is already in use.
fn check_no_id_taken_twice(parts: &Parts, settings: &Settings, files: &Files) -> Result<(), Error> {
    for (&assigned, token) in parts.backend.get_added_vocabulary().get_added_tokens_decoder() {
        let owner = parts.backend.get_model().id_to_token(assigned);
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

/// Replaces a BertNormalizer that differs from tokenizer_config.json or its defaults, as BertTokenizerFast
/// does.
fn apply_bert_settings(parts: &mut Parts, settings: &Settings) -> Result<(), Error> {
    let Some(NormalizerWrapper::BertNormalizer(stored)) = parts.backend.get_normalizer() else {
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
    parts.backend.with_normalizer(Some(wanted)).map(|_| ()).map_err(unusable)
}

/// Replaces a RobertaProcessing that differs from tokenizer_config.json, as RobertaTokenizerFast does.
fn apply_roberta_settings(parts: &mut Parts, settings: &Settings) {
    let Some(PostProcessorWrapper::Roberta(stored)) = parts.backend.get_post_processor() else {
        return;
    };
    let mut wanted = stored.clone();
    wanted.add_prefix_space = settings.add_prefix_space.unwrap_or(false);
    wanted.trim_offsets = settings.trim_offsets.unwrap_or(true);
    if wanted != *stored {
        parts.json_is_current = false;
        parts.backend.with_post_processor(Some(wanted));
    }
}

/// Sets `add_prefix_space` of a byte-level pre-tokenizer, as every fast tokenizer does; the default is false.
fn apply_prefix_space(parts: &mut Parts, settings: &Settings) {
    let Some(PreTokenizerWrapper::ByteLevel(stored)) = parts.backend.get_pre_tokenizer() else {
        return;
    };
    let wanted = settings.add_prefix_space.unwrap_or(false);
    // For a tokenizer.json without settings, the value in the file applies.
    let is_set = settings.add_prefix_space.is_some() || settings.class.is_some();
    if is_set && stored.add_prefix_space != wanted {
        let rewritten = stored.add_prefix_space(wanted);
        parts.json_is_current = false;
        parts.backend.with_pre_tokenizer(Some(rewritten));
    }
}

fn finish(
    parts: Parts,
    settings: Settings,
    special_tokens: Vec<(Role, String)>,
    files: Files,
) -> Result<Tokenizer, Error> {
    let Parts { mut backend, class, from_json, json_is_current, vocabulary_file } = parts;
    let special_tokens: Vec<SpecialToken> = special_tokens
        .into_iter()
        .filter_map(|(role, content)| {
            let id = backend.token_to_id(&content)?;
            Some(SpecialToken { role, content, id })
        })
        .collect();
    if !from_json {
        backend.with_post_processor(Some(new_post_processor(&class, &special_tokens, &settings)));
    }
    let last_id = backend.get_vocab(true).into_values().max();
    let last_id = last_id.ok_or(Error::EmptyVocabulary { file: vocabulary_file })?;
    let post_processor = backend.get_post_processor().cloned();
    backend.with_post_processor(None::<PostProcessorWrapper>);
    // BertTokenizer cleans up by default; BertTokenizerFast does so only when it is built from vocab.txt.
    let cleans_up = settings.clean_up_tokenization_spaces.unwrap_or(!from_json && class == Class::Bert);
    Ok(Tokenizer {
        backend,
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
