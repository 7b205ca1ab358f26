//! Where the lab writes, and the film reviews that it brings.

use std::path::PathBuf;

use bertlab_checkpoint::atomic;
use bertlab_data::preflight::Split;
use bertlab_train::TrainError;

use bertlab::{DatasetRequest, Error};

/// 280 labelled reviews, written for this project.
const TRAIN: &str = include_str!("../../../assets/reviews/train.csv");
/// 100 others.
const TEST: &str = include_str!("../../../assets/reviews/test.csv");

const REPORT: &str = "lab-report.html";
const REVIEWS: &str = "reviews";
/// Training on the reviews: seconds, so that an older one may go.
const TRAINING_ON_REVIEWS: &str = "training-on-reviews";
/// Training on rows of the user's: perhaps hours.
const TRAINING: &str = "training";

/// A folder of the lab's own: the report, the reviews, and the training with its model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabFolder(pub PathBuf);

impl LabFolder {
    /// Refuses a folder that holds anything that the lab has not written, or a model that was trained on a user's rows
    /// and would be written over.
    ///
    /// # Errors
    /// What was found.
    pub fn check(&self, data: &LabData) -> Result<(), Error> {
        let entries = std::fs::read_dir(&self.0).into_iter().flatten().flatten();
        let goes_over = |name: &str| {
            let is_remains = name.starts_with('.');
            let is_own = [REPORT, REVIEWS, TRAINING_ON_REVIEWS, TRAINING].contains(&name);
            is_remains || is_own && (name != TRAINING || *data == LabData::Reviews)
        };
        let mut names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let Some(found) = names.find(|name| !goes_over(name)) else { return Ok(()) };
        let what = if found == TRAINING { "a model trained on rows like these" } else { found.as_str() };
        let wanted = format!(
            "a folder that is not there yet, is empty, or holds an earlier lab (this one holds {what})"
        );
        let name = "output_dir";
        Err(TrainError::Setting { name, found: self.0.display().to_string(), wanted }.into())
    }

    /// The page.
    pub fn report(&self) -> PathBuf {
        self.0.join(REPORT)
    }

    /// What T4 writes.
    pub fn training(&self, data: &LabData) -> PathBuf {
        self.0.join(if *data == LabData::Reviews { TRAINING_ON_REVIEWS } else { TRAINING })
    }

    fn write_reviews(&self) -> Result<LabFiles, Error> {
        let file = |name: &str| self.0.join(REVIEWS).join(name);
        let (train, test) = (file("train.csv"), file("test.csv"));
        atomic::make_folder_of(&train)?;
        atomic::write_file(&train, TRAIN.as_bytes())?;
        atomic::write_file(&test, TEST.as_bytes())?;
        Ok(LabFiles { train: vec![train], validation: vec![test] })
    }
}

/// Where T4's rows come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabData {
    /// The film reviews that the program brings.
    Reviews,
    /// A data set's training rows, and its test rows (where it has none, its validation rows) to evaluate on, as in the
    /// lab: a folder, or a name on the hub.
    Dataset(String),
    /// Files of one's own.
    Files(LabFiles),
}

/// Files of labelled rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabFiles {
    /// To learn from.
    pub train: Vec<PathBuf>,
    /// To evaluate on.
    pub validation: Vec<PathBuf>,
}

impl LabData {
    /// The files, once they are there.
    ///
    /// # Errors
    /// A data set without such splits, or that cannot be fetched; a folder that cannot be written.
    pub fn files(&self, folder: &LabFolder, offline: bool) -> Result<LabFiles, Error> {
        match self {
            Self::Reviews => folder.write_reviews(),
            Self::Files(files) => Ok(files.clone()),
            Self::Dataset(name) => {
                let request = DatasetRequest { name: name.clone(), offline, ..DatasetRequest::default() };
                let found = request.files(&[Split::Training, Split::Validation, Split::Test])?;
                let validation = if found.test.is_empty() { found.validation } else { found.test };
                if validation.is_empty() {
                    let wanted = "a data set with a test or a validation split".to_owned();
                    return Err(TrainError::Setting { name: "data", found: name.clone(), wanted }.into());
                }
                Ok(LabFiles { train: found.train, validation })
            }
        }
    }

    /// Its name for a person.
    pub fn name(&self) -> String {
        match self {
            Self::Reviews => "the reviews that bertlab brings".to_owned(),
            Self::Dataset(name) => name.clone(),
            Self::Files(files) => {
                files.train.first().map_or_else(String::new, |file| file.display().to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_own_folder_is_taken_again_and_no_other() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let folder = LabFolder(home.path().join("lab"));
        folder.check(&LabData::Reviews).expect("nothing is there");
        let files = LabData::Reviews.files(&folder, true).expect("writable");
        std::fs::write(folder.report(), "").expect("writable");
        for data in [LabData::Reviews, LabData::Dataset("imdb".to_owned())] {
            folder.check(&data).expect("it is its own");
            std::fs::create_dir(folder.training(&data)).expect("writable");
        }
        folder.check(&LabData::Reviews).expect("what was trained on others stays");
        let refused = folder.check(&LabData::Dataset("imdb".to_owned())).expect_err("hours would be lost");
        assert!(refused.to_string().contains("a model trained on rows like these"), "{refused}");
        assert_eq!(LabData::Reviews.files(&folder, true).expect("writable"), files);
        assert_eq!(std::fs::read_to_string(&files.train[0]).expect("written").lines().count(), 281);
        std::fs::write(folder.0.join("notes.txt"), "mine").expect("writable");
        let refused = folder.check(&LabData::Reviews).expect_err("it is somebody's").to_string();
        assert!(refused.contains("output_dir") && refused.contains("notes.txt"), "{refused}");
    }

    #[test]
    fn a_data_set_is_evaluated_on_its_test_rows() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let folder = LabFolder(home.path().join("lab"));
        let data = LabData::Dataset(home.path().to_string_lossy().into_owned());
        for name in ["train.csv", "validation.csv"] {
            std::fs::write(home.path().join(name), "text,label\na,0\n").expect("writable");
        }
        let evaluated = || data.files(&folder, true).expect("there are rows").validation;
        assert_eq!(evaluated(), [home.path().join("validation.csv")]);
        std::fs::write(home.path().join("test.csv"), "text,label\na,0\n").expect("writable");
        assert_eq!(evaluated(), [home.path().join("test.csv")]);
    }
}
