//! Settings of data files, and of how their texts become rows of tokens.

use bertlab_data::preflight::Split;
use bertlab_data::{Columns, Encoding, TagScheme};
use bertlab_settings::{Word, settings};
use bertlab_text::Keep;
use bertlab_train::MaskingOptions;

use crate::{DatasetFiles, DatasetRequest, Error, TextOptions, TokenCache};

settings! {
    /// A data set in place of files.
    #[derive(Clone, Debug, PartialEq)]
    pub struct DatasetSettings {
        [""]
        /// Data set to use in place of files: a name on the hub (stanfordnlp/imdb), or a folder
        dataset: Option<String> = None, value_name("DATASET");
        /// Configuration of the data set, such as sst2 of nyu-mll/glue
        dataset_config: Option<String> = None, default_is("the default one"), requires("dataset"),
            value_name("NAME");
        /// Split of the data set to train on
        train_split: Option<String> = None, default_is("train"), requires("dataset"), value_name("NAME");
        /// Split of the data set to evaluate on during training, or none
        validation_split: Option<String> = None, default_is("validation, if there is one"),
            requires("dataset"), value_name("NAME");
        /// Split of the data set to evaluate on at the end, or none
        test_split: Option<String> = None, default_is("test, if there is one"), requires("dataset"),
            value_name("NAME");
    }
}

settings! {
    /// The columns of a table of labelled rows.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ColumnSettings {
        [""]
        /// Column of the texts or words
        text_column: Option<String> = None, default_is("detected from the header; column 0 for CoNLL"),
            old_names(&["text_column_name"]), value_name("NAME");
        /// Column of the second texts
        pair_column: Option<String> = None, default_is("detected from the header"), value_name("NAME");
        /// Column of the labels
        label_column: Option<String> = None, old_names(&["label_column_name"]), value_name("NAME"),
            default_is("detected from the header; the last column for CoNLL");
        /// Tags of words: auto converts IOB1 (as in CoNLL-2003) to IOB2, keep leaves them as they are
        tag_scheme: Word<TagScheme> = Word(TagScheme::Auto), choices(&["auto", "keep"]), value_name("SCHEME");
    }
}

settings! {
    /// How text files are read.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct EncodingSettings {
        [""]
        /// Encoding of text files: latin1, windows-1252, utf-16, shift_jis, ...
        encoding: Word<Encoding> = Word(Encoding::Utf8), value_name("NAME");
    }
}

settings! {
    /// How long rows are.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct LengthSettings {
        [""]
        /// Maximum number of tokens per row; longer texts are truncated. masked-lm: the length of a block
        max_length: Option<usize> = None, default_is("as the model was trained, else the model's maximum"),
            old_names(&["max_seq_length"]);
        /// masked-lm: keep each text a row of its own, instead of joining texts and cutting them into blocks
        line_by_line: bool = false;
        /// Tokenize again, and do not cache the tokens ($BERTLAB_CACHE, else the user's cache folder)
        no_cache: bool = false;
    }
}

settings! {
    /// Which part of a text is kept when it is truncated.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct TruncationSettings {
        [""]
        /// Part of a long text to keep
        truncation: Option<Word<Keep>> = None, default_is("as the model was trained, else head"),
            choices(&Keep::WORDS), value_name("PART");
        /// With truncation head+tail: number of tokens to keep from the beginning
        truncation_head: Option<usize> = None, default_is("a quarter");
    }
}

impl DatasetSettings {
    /// The files of the wanted splits, downloaded where they are not there; none where no data set is given.
    ///
    /// # Errors
    /// As [`DatasetRequest::files`].
    pub fn files(&self, wanted: &[Split], offline: bool) -> Result<Option<DatasetFiles>, Error> {
        let Some(name) = self.dataset.clone() else { return Ok(None) };
        let request = DatasetRequest {
            name,
            config: self.dataset_config.clone(),
            train_split: self.train_split.clone(),
            validation_split: self.validation_split.clone(),
            test_split: self.test_split.clone(),
            offline,
        };
        request.files(wanted).map(Some)
    }
}

impl ColumnSettings {
    /// As the readers of files take them.
    pub fn columns(&self) -> Columns {
        Columns {
            text: self.text_column.clone(),
            pair: self.pair_column.clone(),
            label: self.label_column.clone(),
            tag_scheme: self.tag_scheme.0,
            ..Columns::default()
        }
    }
}

impl TruncationSettings {
    /// The part to keep; none where nothing is given.
    ///
    /// # Errors
    /// A number of tokens for a part that has none.
    pub fn keep(&self) -> Result<Option<Keep>, Error> {
        match (self.truncation.map(|Word(keep)| keep), self.truncation_head) {
            (None | Some(Keep::HeadAndTail { .. }), head @ Some(_)) => Ok(Some(Keep::HeadAndTail { head })),
            (keep, None) => Ok(keep),
            (Some(found), Some(_)) => Err(Error::TruncationHead { found }),
        }
    }
}

impl LengthSettings {
    /// With the part to keep and what is masked.
    ///
    /// # Errors
    /// As [`TruncationSettings::keep`].
    pub fn options(
        &self,
        truncation: &TruncationSettings,
        masking: MaskingOptions,
    ) -> Result<TextOptions, Error> {
        Ok(TextOptions {
            max_length: self.max_length,
            keep: truncation.keep()?,
            line_by_line: self.line_by_line,
            cache: if self.no_cache { TokenCache::off() } else { TokenCache::of_user() },
            masking,
        })
    }
}
