//! Settings of the workflows as tables: the same for flags, files and keyword arguments.

mod pretrain;
mod rows;
mod train;

pub use bertlab_settings::{
    Field, Given, Kind, OutOfRange, Range, Setting, SettingValue, Settings, SettingsError, SettingsFile, Word,
};
pub use pretrain::{CorpusSettings, PretrainJobSettings, PretrainSettings, VocabularySettings};
pub use rows::{ColumnSettings, DatasetSettings, EncodingSettings, LengthSettings, TruncationSettings};
pub use train::{JobSettings, TrainSettings};
