//! [`Tokenizer`] → the files from which HuggingFace and this crate open it again.

use serde_json::{Map, Value, json};
use tokenizers::models::ModelWrapper;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::utils::truncation::TruncationDirection;

use crate::config::{Class, MAX_LENGTH_KEY, OLD_MAX_LENGTH_KEY};
use crate::files;
use crate::{Keep, Tokenizer};

impl Tokenizer {
    /// The files of this tokenizer, as (file name, contents).
    ///
    /// Files of the source folder are copied byte for byte, with two exceptions: tokenizer.json is rewritten
    /// if it stores truncation or padding (which are dropped) or if the settings files changed it, and
    /// tokenizer_config.json if keys must be added. Missing files are created: tokenizer.json,
    /// tokenizer_config.json, special_tokens_map.json and, for WordPiece, vocab.txt.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = self.source_files.clone();
        if !self.json_is_current {
            put(&mut files, files::TOKENIZER_JSON, self.tokenizer_json());
        }
        if let Some(config) = self.tokenizer_config() {
            put(&mut files, files::TOKENIZER_CONFIG, json_bytes(&config));
        }
        if self.source_file(files::SPECIAL_TOKENS_MAP).is_none() {
            put(&mut files, files::SPECIAL_TOKENS_MAP, json_bytes(&self.special_tokens_map()));
        }
        if self.source_file(files::VOCAB_TXT).is_none()
            && let Some(vocabulary) = self.vocab_txt()
        {
            put(&mut files, files::VOCAB_TXT, vocabulary);
        }
        files
    }

    fn source_file(&self, name: &str) -> Option<&[u8]> {
        let found = self.source_files.iter().find(|(file_name, _)| file_name == name);
        found.map(|(_, bytes)| bytes.as_slice())
    }

    fn tokenizer_json(&self) -> Vec<u8> {
        let mut whole = self.backend.clone();
        whole.with_post_processor(self.post_processor.clone());
        let text = whole.to_string(true);
        text.expect("its parts are maps, lists and strings, which JSON can always hold").into_bytes()
    }

    /// tokenizer_config.json, if it must differ from the source folder's or if that has none.
    fn tokenizer_config(&self) -> Option<Map<String, Value>> {
        let source = self.source_file(files::TOKENIZER_CONFIG);
        let mut config = source.map_or_else(Map::new, |bytes| {
            serde_json::from_slice(bytes).expect("it was read as a JSON object at opening")
        });
        let wanted = if source.is_none() { self.full_config() } else { self.implicit_settings() };
        let before = config.clone();
        for (key, value) in wanted {
            config.entry(key).or_insert(value);
        }
        if source.is_none() || self.keep != Keep::of(&self.settings) {
            self.keep.write(&mut config);
        }
        if let Some(length) = self.max_length.filter(|_| self.max_length != self.settings.model_max_length) {
            config.shift_remove(OLD_MAX_LENGTH_KEY);
            config.insert(MAX_LENGTH_KEY.to_owned(), json!(length));
        }
        (source.is_none() || config != before).then_some(config)
    }

    /// Settings that differ from the defaults of a folder with tokenizer.json.
    fn implicit_settings(&self) -> Map<String, Value> {
        let mut config = Map::new();
        if self.cleans_up {
            config.insert("clean_up_tokenization_spaces".to_owned(), json!(true));
        }
        // The side may come from a truncation stored in tokenizer.json, which is dropped.
        if self.keep == Keep::Tail {
            config.insert("truncation_side".to_owned(), json!("left"));
        }
        if self.settings.padding_side == Some(TruncationDirection::Left) {
            config.insert("padding_side".to_owned(), json!("left"));
        }
        config
    }

    /// A complete tokenizer_config.json.
    fn full_config(&self) -> Map<String, Value> {
        let class = match &self.class {
            Class::Bert => "BertTokenizer",
            Class::Roberta => "RobertaTokenizer",
            Class::Generic => "PreTrainedTokenizerFast",
            Class::Other(name) => name,
        };
        let mut config = self.implicit_settings();
        config.insert("tokenizer_class".to_owned(), json!(class));
        if let Some(length) = self.model_max_length() {
            config.insert(MAX_LENGTH_KEY.to_owned(), json!(length));
        }
        let normalizer = self.backend.get_normalizer();
        if let (Class::Bert, Some(NormalizerWrapper::BertNormalizer(normalizer))) = (&self.class, normalizer)
        {
            config.insert("do_lower_case".to_owned(), json!(normalizer.lowercase));
            config.insert("strip_accents".to_owned(), json!(normalizer.strip_accents));
            config.insert("tokenize_chinese_chars".to_owned(), json!(normalizer.handle_chinese_chars));
        }
        if let Some(PreTokenizerWrapper::ByteLevel(stored)) = self.backend.get_pre_tokenizer() {
            config.insert("add_prefix_space".to_owned(), json!(stored.add_prefix_space));
        }
        config.append(&mut self.special_tokens_map());
        config
    }

    fn special_tokens_map(&self) -> Map<String, Value> {
        let named = self.special_tokens.iter();
        let mut map: Map<String, Value> =
            named.map(|token| (token.role.key().to_owned(), json!(token.content))).collect();
        let additional: Vec<&str> =
            self.settings.additional_special_tokens.iter().map(|token| token.content.as_str()).collect();
        if !additional.is_empty() {
            map.insert("additional_special_tokens".to_owned(), json!(additional));
        }
        map
    }

    /// vocab.txt; `None` if the model is not WordPiece, or if line numbers cannot express the ids.
    fn vocab_txt(&self) -> Option<Vec<u8>> {
        let ModelWrapper::WordPiece(_) = self.backend.get_model() else {
            return None;
        };
        let mut tokens: Vec<(u32, String)> =
            self.backend.get_vocab(false).into_iter().map(|(token, id)| (id, token)).collect();
        tokens.sort();
        let is_a_line = |(line, (id, token)): (usize, &(u32, String))| {
            *id as usize == line && !token.contains(['\n', '\r'])
        };
        let fits = tokens.iter().enumerate().all(is_a_line);
        fits.then(|| tokens.into_iter().flat_map(|(_, token)| (token + "\n").into_bytes()).collect())
    }
}

fn put(files: &mut Vec<(String, Vec<u8>)>, name: &str, contents: Vec<u8>) {
    files.retain(|(file_name, _)| file_name != name);
    files.push((name.to_owned(), contents));
}

pub(crate) fn json_bytes(object: &Map<String, Value>) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(object).expect("a map with strings as keys is always JSON");
    bytes.push(b'\n');
    bytes
}
