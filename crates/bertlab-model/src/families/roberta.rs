//! RoBERTa (Liu et al. 2019): BERT with other positions and heads.

use super::{Family, FamilyHead, Modules, activation, bert, pad_token_id};
use crate::error::Error;
use crate::modules::{Node, Rate};
use crate::slot::Role;
use crate::spec::{EncoderSpec, HeadKind, PoolerSpec};
use bertlab_checkpoint::Config;
use bertlab_compute::ops::activation::Activation;

pub(super) const FAMILY: Family = Family {
    model_type: "roberta",
    class_prefix: "Roberta",
    prefix: "roberta",
    layers: "encoder.layer",
    base_names: &[],
    layer_names: &[],
    head_names,
    heads: &[
        HeadKind::None,
        HeadKind::SequenceClassification,
        HeadKind::TokenClassification,
        HeadKind::QuestionAnswering,
        HeadKind::MaskedLm,
    ],
    modules: Modules { base: bert::MODULES, head: head_modules },
    late_weights: &[Role::PositionTable], // Since transformers 5.
    read_encoder,
    read_head,
};

fn head_names(kind: HeadKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        HeadKind::SequenceClassification => {
            &[("pooler.dense", "classifier.dense"), ("classifier", "classifier.out_proj")]
        }
        HeadKind::QuestionAnswering => &[("classifier", "qa_outputs")],
        _ => &[
            ("classifier", "classifier"),
            ("cls.predictions", "lm_head"),
            ("cls.predictions.transform.dense", "lm_head.dense"),
            ("cls.predictions.transform.LayerNorm", "lm_head.layer_norm"),
        ],
    }
}

fn head_modules(kind: HeadKind) -> &'static [Node] {
    match kind {
        HeadKind::SequenceClassification => &[
            Node::Base,
            Node::Group(
                "classifier",
                "*ClassificationHead",
                &[Node::Linear("dense"), Node::Dropout("dropout", Rate::Head), Node::Linear("out_proj")],
            ),
        ],
        HeadKind::QuestionAnswering => &[Node::Base, Node::Linear("qa_outputs")],
        HeadKind::MaskedLm => &[
            Node::Base,
            Node::Group(
                "lm_head",
                "*LMHead",
                &[Node::Linear("dense"), Node::Norm("layer_norm"), Node::Linear("decoder")],
            ),
        ],
        _ => &[Node::Base, Node::Dropout("dropout", Rate::Head), Node::Linear("classifier")],
    }
}

fn read_encoder(config: &Config) -> Result<EncoderSpec, Error> {
    let pad_token_id = pad_token_id(config, 1)?;
    let spec = bert::read_encoder(config)?;
    // Positions count from padding id + 1.
    Ok(EncoderSpec { pad_token_id, position_offset: pad_token_id as usize + 1, ..spec })
}

fn read_head(config: &Config, kind: HeadKind) -> Result<FamilyHead, Error> {
    let dropout = match kind {
        HeadKind::SequenceClassification | HeadKind::TokenClassification => bert::classifier_dropout(config)?,
        _ => 0.0,
    };
    let of_base = PoolerSpec::of_base(Activation::Tanh);
    let pooler = match kind {
        HeadKind::None => Some(of_base),
        HeadKind::SequenceClassification => Some(PoolerSpec { dropout, is_of_base: false, ..of_base }),
        _ => None,
    };
    Ok(FamilyHead { pooler, dropout, ..FamilyHead::new(config, kind, activation(config, "hidden_act")?)? })
}
