//! tokenizer_config.json, special_tokens_map.json and added_tokens.json, read as HuggingFace reads them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tokenizers::utils::truncation::TruncationDirection;

use crate::files::{self, Files};
use crate::keep::{HEAD_KEY, KEEP_KEY};
use crate::special::{Naming, Role, TokenSpec};
use crate::{Error, Keep};

/// HuggingFace writes 1e30 for "no limit", and reads any number above 1e20 as such.
const NO_LIMIT_ABOVE: f64 = 1e20;

/// The HuggingFace class that opens the folder. It determines defaults and changes at opening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Class {
    /// BertTokenizerFast and its identical subclasses.
    Bert,
    Roberta,
    /// PreTrainedTokenizerFast: tokenizer.json is not changed.
    Generic,
    /// A class with its own rules.
    Other(String),
}

/// The key of the maximum input length, and its name in old files.
pub(crate) const MAX_LENGTH_KEY: &str = "model_max_length";
pub(crate) const OLD_MAX_LENGTH_KEY: &str = "max_len";

/// The settings of a tokenizer folder. `None` and `Unset` mean that a key is absent.
pub(crate) struct Settings {
    pub class: Option<Class>,
    pub do_lower_case: Option<bool>,
    /// The outer `None` is an absent key, the inner one is `null`: accents are stripped if text is
    /// lower-cased.
    pub strip_accents: Option<Option<bool>>,
    pub tokenize_chinese_chars: Option<bool>,
    pub add_prefix_space: Option<bool>,
    pub trim_offsets: Option<bool>,
    pub clean_up_tokenization_spaces: Option<bool>,
    pub model_max_length: Option<usize>,
    /// The side at which truncation removes tokens. The crate's enum for truncation also serves for padding.
    pub truncation_side: Option<TruncationDirection>,
    pub padding_side: Option<TruncationDirection>,
    /// [`Keep::HeadAndTail`], which a side cannot express.
    pub keep: Option<Keep>,
    namings: Vec<(Role, Naming)>,
    pub additional_special_tokens: Vec<TokenSpec>,
    /// Added tokens by their ids in the files.
    pub added_tokens: BTreeMap<u32, TokenSpec>,
    /// The file that lists the added tokens.
    pub added_tokens_file: &'static str,
}

impl Settings {
    pub fn read(files: &Files) -> Result<Settings, Error> {
        let config = files.object(files::TOKENIZER_CONFIG)?;
        let reader = Reader { files, file: files::TOKENIZER_CONFIG, object: &config };
        let mut settings = Settings {
            class: None,
            do_lower_case: reader.boolean("do_lower_case")?,
            strip_accents: reader.nullable_boolean("strip_accents")?,
            tokenize_chinese_chars: reader.boolean("tokenize_chinese_chars")?,
            add_prefix_space: reader.boolean("add_prefix_space")?,
            trim_offsets: reader.boolean("trim_offsets")?,
            clean_up_tokenization_spaces: reader.boolean("clean_up_tokenization_spaces")?,
            model_max_length: reader.length(MAX_LENGTH_KEY, OLD_MAX_LENGTH_KEY)?,
            truncation_side: reader.side("truncation_side")?,
            padding_side: reader.side("padding_side")?,
            keep: reader.keep()?,
            namings: Vec::new(),
            additional_special_tokens: reader.token_list("additional_special_tokens")?,
            added_tokens: BTreeMap::new(),
            added_tokens_file: files::TOKENIZER_CONFIG,
        };
        for role in Role::ALL {
            settings.namings.push((role, reader.naming(role)?));
        }
        if config.contains_key("added_tokens_decoder") {
            settings.added_tokens = reader.added_tokens_decoder()?;
        } else {
            settings.read_legacy_files(files)?;
        }
        settings.class = settings.find_class(files, &reader)?;
        Ok(settings)
    }

    pub fn naming(&self, role: Role) -> &Naming {
        let found = self.namings.iter().find(|(named, _)| *named == role);
        &found.expect("every role has an entry since read()").1
    }

    /// Sets the token of a role, unless the files or the class name one.
    pub fn suggest(&mut self, role: Role, content: &str) {
        let class_names_it = matches!(self.class, Some(Class::Bert | Class::Roberta));
        for (named, naming) in &mut self.namings {
            if *named == role && *naming == Naming::Unset && !class_names_it {
                *naming = Naming::Token(TokenSpec::plain(content));
            }
        }
    }

    /// Reads the files from before `added_tokens_decoder`, which HuggingFace reads only if that key is
    /// absent; special_tokens_map.json takes precedence over tokenizer_config.json.
    fn read_legacy_files(&mut self, files: &Files) -> Result<(), Error> {
        let map = files.object(files::SPECIAL_TOKENS_MAP)?;
        let reader = Reader { files, file: files::SPECIAL_TOKENS_MAP, object: &map };
        for (role, naming) in &mut self.namings {
            match reader.naming(*role)? {
                Naming::Unset => {}
                named => *naming = named,
            }
        }
        for token in reader.token_list("additional_special_tokens")? {
            if self.additional_special_tokens.iter().all(|known| known.content != token.content) {
                self.additional_special_tokens.push(token);
            }
        }
        let added = files.object(files::ADDED_TOKENS)?;
        let reader = Reader { files, file: files::ADDED_TOKENS, object: &added };
        for (content, id) in &added {
            let id = id.as_u64().and_then(|id| u32::try_from(id).ok());
            let id = id.ok_or_else(|| reader.wrong(content, "an id, 0 or more"))?;
            let special = self.is_named_special(content);
            self.added_tokens.insert(id, TokenSpec { special, ..TokenSpec::plain(content) });
            self.added_tokens_file = files::ADDED_TOKENS;
        }
        Ok(())
    }

    fn is_named_special(&self, content: &str) -> bool {
        let named = |naming: &Naming| matches!(naming, Naming::Token(token) if token.content == content);
        self.namings.iter().any(|(_, naming)| named(naming))
            || self.additional_special_tokens.iter().any(|token| token.content == content)
    }

    /// The class in tokenizer_config.json, else in config.json, else the one of config.json's model type.
    fn find_class(&self, files: &Files, reader: &Reader) -> Result<Option<Class>, Error> {
        if let Some(name) = reader.string("tokenizer_class")? {
            return Ok(Some(class_of_name(name)));
        }
        let model_config = files.model_config()?;
        if let Some(name) = model_config.get("tokenizer_class").and_then(Value::as_str) {
            return Ok(Some(class_of_name(name)));
        }
        let by_model = match model_config.get("model_type").and_then(Value::as_str) {
            Some("bert" | "distilbert" | "electra" | "mobilebert") => Some(Class::Bert),
            Some("roberta") => Some(Class::Roberta),
            _ => None,
        };
        let has_bert_keys = self.do_lower_case.is_some()
            || self.strip_accents.is_some()
            || self.tokenize_chinese_chars.is_some();
        Ok(by_model.or(has_bert_keys.then_some(Class::Bert)))
    }
}

fn class_of_name(name: &str) -> Class {
    match name.strip_suffix("Fast").unwrap_or(name) {
        "BertTokenizer" | "DistilBertTokenizer" | "ElectraTokenizer" | "MobileBertTokenizer" => Class::Bert,
        "RobertaTokenizer" => Class::Roberta,
        "PreTrainedTokenizer" => Class::Generic,
        _ => Class::Other(name.to_owned()),
    }
}

/// Typed access to one settings file's keys.
struct Reader<'a> {
    files: &'a Files,
    file: &'static str,
    object: &'a Map<String, Value>,
}

impl Reader<'_> {
    fn wrong(&self, key: &str, wanted: &'static str) -> Error {
        let found = self.object.get(key).map_or_else(String::new, files::shown);
        Error::Setting { file: self.files.path(self.file), key: key.to_owned(), wanted, found }
    }

    fn boolean(&self, key: &str) -> Result<Option<bool>, Error> {
        match self.object.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(self.wrong(key, "true or false")),
        }
    }

    fn nullable_boolean(&self, key: &str) -> Result<Option<Option<bool>>, Error> {
        match self.object.get(key) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(None)),
            Some(Value::Bool(value)) => Ok(Some(Some(*value))),
            Some(_) => Err(self.wrong(key, "true, false or null")),
        }
    }

    fn string(&self, key: &str) -> Result<Option<&str>, Error> {
        match self.object.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(value)) => Ok(Some(value)),
            Some(_) => Err(self.wrong(key, "a string")),
        }
    }

    fn side(&self, key: &str) -> Result<Option<TruncationDirection>, Error> {
        match self.string(key)? {
            None => Ok(None),
            Some("right") => Ok(Some(TruncationDirection::Right)),
            Some("left") => Ok(Some(TruncationDirection::Left)),
            Some(_) => Err(self.wrong(key, "\"left\" or \"right\"")),
        }
    }

    /// Our own keys. The length of the head alone has no effect.
    fn keep(&self) -> Result<Option<Keep>, Error> {
        let head = self.length(HEAD_KEY, HEAD_KEY)?;
        match self.string(KEEP_KEY)? {
            None => Ok(None),
            Some("head+tail") => Ok(Some(Keep::HeadAndTail { head })),
            Some(_) => Err(self.wrong(KEEP_KEY, "\"head+tail\", or nothing and truncation_side")),
        }
    }

    /// A number of tokens under `key`, or under `older_key` if that is absent.
    fn length(&self, key: &str, older_key: &str) -> Result<Option<usize>, Error> {
        let key = if self.object.contains_key(key) { key } else { older_key };
        let value = match self.object.get(key) {
            None | Some(Value::Null) => return Ok(None),
            Some(value) => value,
        };
        match value.as_f64() {
            Some(number) if number > NO_LIMIT_ABOVE => Ok(None),
            // Whole numbers of this size are exact in f64, and the cast cannot wrap.
            Some(number) if number >= 0.0 && number.fract() == 0.0 => Ok(Some(number as usize)),
            _ => Err(self.wrong(key, "a whole number, 0 or more")),
        }
    }

    fn naming(&self, role: Role) -> Result<Naming, Error> {
        match self.object.get(role.key()) {
            None => Ok(Naming::Unset),
            Some(Value::Null) => Ok(Naming::None),
            Some(value) => TokenSpec::from_json(value)
                .map(Naming::Token)
                .ok_or_else(|| self.wrong(role.key(), TOKEN_FORMS)),
        }
    }

    fn token_list(&self, key: &str) -> Result<Vec<TokenSpec>, Error> {
        let list = match self.object.get(key) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(list) => list.as_array().ok_or_else(|| self.wrong(key, "a list of tokens"))?,
        };
        let tokens = list.iter().map(TokenSpec::from_json).collect::<Option<Vec<_>>>();
        tokens.ok_or_else(|| self.wrong(key, "a list of tokens"))
    }

    fn added_tokens_decoder(&self) -> Result<BTreeMap<u32, TokenSpec>, Error> {
        const KEY: &str = "added_tokens_decoder";
        let wrong = || self.wrong(KEY, "an object of ids with their tokens");
        let object = self.object.get(KEY).and_then(Value::as_object).ok_or_else(wrong)?;
        let entry = |(id, token): (&String, &Value)| Some((id.parse().ok()?, TokenSpec::from_json(token)?));
        object.iter().map(entry).collect::<Option<_>>().ok_or_else(wrong)
    }
}

const TOKEN_FORMS: &str = "a token (a string, or an object with `content`)";
