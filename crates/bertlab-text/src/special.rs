//! Special and added tokens, in the settings files and in the `tokenizers` crate.

use serde_json::Value;
use tokenizers::AddedToken;

/// The roles of special tokens, in the order in which HuggingFace adds missing tokens to a vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Begin,
    End,
    Unknown,
    Separator,
    Padding,
    Class,
    Mask,
}

impl Role {
    pub const ALL: [Role; 7] =
        [Role::Begin, Role::End, Role::Unknown, Role::Separator, Role::Padding, Role::Class, Role::Mask];

    /// The key of this token in the settings files.
    pub fn key(self) -> &'static str {
        match self {
            Role::Begin => "bos_token",
            Role::End => "eos_token",
            Role::Unknown => "unk_token",
            Role::Separator => "sep_token",
            Role::Padding => "pad_token",
            Role::Class => "cls_token",
            Role::Mask => "mask_token",
        }
    }

    /// The default of BertTokenizer.
    pub fn bert_default(self) -> Option<&'static str> {
        match self {
            Role::Begin | Role::End => None,
            Role::Unknown => Some("[UNK]"),
            Role::Separator => Some("[SEP]"),
            Role::Padding => Some("[PAD]"),
            Role::Class => Some("[CLS]"),
            Role::Mask => Some("[MASK]"),
        }
    }

    /// The default of RobertaTokenizer.
    pub fn roberta_default(self) -> &'static str {
        match self {
            Role::Begin | Role::Class => "<s>",
            Role::End | Role::Separator => "</s>",
            Role::Unknown => "<unk>",
            Role::Padding => "<pad>",
            Role::Mask => "<mask>",
        }
    }
}

/// The value of a role in a settings file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Naming {
    /// The key is absent: the default of the class applies.
    #[default]
    Unset,
    /// `null`: the tokenizer has no such token.
    None,
    /// This token.
    Token(TokenSpec),
}

/// A token in a settings file: a string, or an object with flags.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TokenSpec {
    pub content: String,
    pub single_word: bool,
    pub lstrip: bool,
    pub rstrip: bool,
    /// `None` means normalized unless special, the default of `AddedToken`.
    pub normalized: Option<bool>,
    pub special: bool,
}

impl TokenSpec {
    pub fn plain(content: impl Into<String>) -> TokenSpec {
        TokenSpec { content: content.into(), ..TokenSpec::default() }
    }

    /// Reads a string or an object with `content`; `None` for any other value.
    pub fn from_json(value: &Value) -> Option<TokenSpec> {
        if let Value::String(content) = value {
            return Some(TokenSpec::plain(content));
        }
        let content = value.get("content")?.as_str()?;
        let flag = |name: &str| value.get(name).and_then(Value::as_bool);
        Some(TokenSpec {
            content: content.to_owned(),
            single_word: flag("single_word").unwrap_or(false),
            lstrip: flag("lstrip").unwrap_or(false),
            rstrip: flag("rstrip").unwrap_or(false),
            normalized: flag("normalized"),
            special: flag("special").unwrap_or(false),
        })
    }

    pub fn to_added_token(&self, special: bool) -> AddedToken {
        AddedToken {
            content: self.content.clone(),
            single_word: self.single_word,
            lstrip: self.lstrip,
            rstrip: self.rstrip,
            normalized: self.normalized.unwrap_or(!special),
            special,
        }
    }
}

/// A special token of a tokenizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpecialToken {
    pub role: Role,
    pub content: String,
    pub id: u32,
}
