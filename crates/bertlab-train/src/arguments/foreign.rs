//! HuggingFace's settings that bertlab does not have: which of them change nothing here, and which are
//! refused.

use bertlab_feedback::Hint;
use bertlab_settings::Foreign;
use serde_json::Value;

/// What to do with a value that is not ordinary.
enum Otherwise {
    /// It changes nothing that is computed here.
    PassOver,
    /// It would change the result, or leave out what was asked for.
    Refuse(&'static str),
    /// The same, with the setting that there is instead.
    Instead(&'static str, &'static str),
}

use Otherwise::{Instead, PassOver, Refuse};

const ADAMW: &str = "the optimizer is AdamW (adamw_torch)";
const SCHEDULE: &str = "schedules have HuggingFace's default shapes";
const ONE_PRECISION: &str = "evaluation computes as training does; the setting for both is";
const HUB: &str = "nothing is uploaded; upload final_model yourself";
const OWN_CHECKPOINTS: &str = "models come from one folder or hub name with its own config and tokenizer";
const ONE_PROCESS: &str = "a run is one process, on all cores of one machine";

const FSDP_CONFIG: &str =
    r#"[{}, {"min_num_params": 0, "xla": false, "xla_fsdp_v2": false, "xla_fsdp_grad_ckpt": false}]"#;
const ACCELERATOR_CONFIG: &str = r#"[{
    "split_batches": false, "dispatch_batches": null, "even_batches": true, "use_seedable_sampler": true,
    "non_blocking": false, "gradient_accumulation_kwargs": null
}]"#;

/// Name, values that need no word (a JSON list; null always is one of them), and what others come to.
const FOREIGN: &[(&str, &str, Otherwise)] = &[
    // The optimizer and what is learnt.
    ("optim", r#"["adamw_torch", "adamw_torch_fused", "adamw_hf", "adamw_torch_xla"]"#, Refuse(ADAMW)),
    ("optim_args", r#"[""]"#, Refuse(ADAMW)),
    ("optim_target_modules", "[[]]", Refuse(ADAMW)),
    ("adafactor", "[false]", Refuse(ADAMW)),
    ("lr_scheduler_kwargs", r#"[{}, "{}", ""]"#, Refuse(SCHEDULE)),
    ("neftune_noise_alpha", "[0, 0.0]", Refuse("there is no noise on embeddings")),
    ("use_galore", "[false]", Refuse(ADAMW)),
    // Precision.
    ("bf16_full_eval", "[false]", Instead(ONE_PRECISION, "bf16")),
    ("fp16_full_eval", "[false]", Instead(ONE_PRECISION, "bf16")),
    ("fp16_opt_level", r#"["O1"]"#, PassOver),
    ("fp16_backend", r#"["auto"]"#, PassOver),
    ("half_precision_backend", r#"["auto"]"#, PassOver),
    ("tf32", "[false]", PassOver),
    // Memory and compilation: the same numbers on another way.
    ("gradient_checkpointing_kwargs", "[{}]", PassOver),
    ("activation_checkpointing_kwargs", "[{}]", PassOver),
    ("torch_compile", "[false]", PassOver),
    ("torch_compile_backend", "[]", PassOver),
    ("torch_compile_mode", "[]", PassOver),
    ("torch_empty_cache_steps", "[]", PassOver),
    ("torchdynamo", "[]", PassOver),
    ("jit_mode_eval", "[false]", PassOver),
    ("use_ipex", "[false]", PassOver),
    ("use_liger_kernel", "[false]", PassOver),
    ("liger_kernel_config", "[{}]", PassOver),
    ("use_cache", "[false]", PassOver),
    ("auto_find_batch_size", "[false]", PassOver),
    ("full_determinism", "[false]", PassOver),
    ("use_cpu", "[false]", PassOver),
    ("no_cuda", "[false]", PassOver),
    ("use_mps_device", "[false]", PassOver),
    // Processes and devices.
    ("local_rank", "[-1, 0]", PassOver),
    ("_n_gpu", "[0, 1]", PassOver),
    ("n_gpu", "[0, 1]", PassOver),
    ("xpu_backend", "[]", PassOver),
    ("tpu_num_cores", "[]", PassOver),
    ("tpu_metrics_debug", "[false]", PassOver),
    ("ddp_find_unused_parameters", "[false]", PassOver),
    ("ddp_bucket_cap_mb", "[]", PassOver),
    ("ddp_broadcast_buffers", "[false]", PassOver),
    ("ddp_static_graph", "[false]", PassOver),
    ("ddp_backend", "[]", PassOver),
    ("ddp_timeout", "[1800]", PassOver),
    ("fsdp", r#"["", [], false]"#, Refuse(ONE_PROCESS)),
    ("fsdp_config", FSDP_CONFIG, PassOver),
    ("fsdp_min_num_params", "[0]", PassOver),
    ("fsdp_transformer_layer_cls_to_wrap", "[]", PassOver),
    ("deepspeed", r#"["", {}]"#, Refuse(ONE_PROCESS)),
    ("parallelism_config", "[{}]", Refuse(ONE_PROCESS)),
    ("accelerator_config", ACCELERATOR_CONFIG, PassOver),
    ("deepspeed_plugin", "[]", PassOver),
    ("distributed_state", "[]", PassOver),
    ("dispatch_batches", "[]", PassOver),
    ("split_batches", "[false]", PassOver),
    ("average_tokens_across_devices", "[true, false]", PassOver),
    ("mp_parameters", r#"[""]"#, PassOver),
    ("ray_scope", r#"["last"]"#, PassOver),
    // Data.
    ("dataloader_num_workers", "[0]", PassOver),
    ("dataloader_pin_memory", "[true]", PassOver),
    ("dataloader_persistent_workers", "[false]", PassOver),
    ("dataloader_prefetch_factor", "[2]", PassOver),
    ("dataloader_multiprocessing_context", "[]", PassOver),
    ("dataloader_in_order", "[true]", PassOver),
    ("remove_unused_columns", "[true]", PassOver),
    ("length_column_name", r#"["length"]"#, PassOver),
    ("label_names", r#"[[], ["labels"]]"#, Instead("labels come from one column, given by", "label_column")),
    ("ignore_data_skip", "[false]", Refuse("a run that goes on always goes on with the rows that are next")),
    ("overwrite_cache", "[false]", PassOver),
    ("preprocessing_num_workers", "[]", PassOver),
    ("pad_to_max_length", "[true, false]", PassOver),
    ("use_fast_tokenizer", "[true]", PassOver),
    ("config_name", r#"[""]"#, Refuse(OWN_CHECKPOINTS)),
    ("tokenizer_name", r#"[""]"#, Refuse(OWN_CHECKPOINTS)),
    ("model_revision", r#"["main"]"#, Refuse("of a hub name the revision `main` is used")),
    ("cache_dir", r#"[""]"#, PassOver),
    ("trust_remote_code", "[false]", PassOver),
    ("ignore_mismatched_sizes", "[false]", PassOver),
    ("use_auth_token", "[false]", PassOver),
    ("token", "[]", PassOver),
    // Evaluation.
    ("prediction_loss_only", "[false]", PassOver),
    ("eval_accumulation_steps", "[]", PassOver),
    ("eval_do_concat_batches", "[true]", PassOver),
    ("eval_use_gather_object", "[false]", PassOver),
    ("batch_eval_metrics", "[false]", PassOver),
    ("include_for_metrics", "[[]]", PassOver),
    ("include_inputs_for_metrics", "[false]", PassOver),
    ("use_legacy_prediction_loop", "[false]", PassOver),
    ("past_index", "[-1]", PassOver),
    // What is told, and to whom.
    ("do_train", "[true, false]", PassOver),
    ("do_eval", "[true, false]", PassOver),
    ("do_predict", "[false]", PassOver),
    ("disable_tqdm", "[false]", PassOver),
    ("log_level", r#"["passive"]"#, PassOver),
    ("log_level_replica", r#"["passive", "warning"]"#, PassOver),
    ("log_on_each_node", "[true]", PassOver),
    ("logging_dir", "[]", PassOver),
    ("logging_nan_inf_filter", "[true, false]", PassOver),
    ("include_num_input_tokens_seen", r#"["no", false]"#, PassOver),
    ("include_tokens_per_second", "[false]", PassOver),
    ("run_name", "[]", PassOver),
    ("project", r#"["huggingface"]"#, PassOver),
    ("trackio_space_id", r#"["trackio"]"#, PassOver),
    ("trackio_bucket_id", "[]", PassOver),
    ("trackio_static_space_id", "[]", PassOver),
    ("debug", r#"["", []]"#, PassOver),
    ("skip_memory_metrics", "[true]", PassOver),
    // What is kept.
    ("output_dir", "[]", PassOver),
    ("overwrite_output_dir", "[false]", PassOver),
    ("resume_from_checkpoint", "[false]", PassOver),
    ("save_safetensors", "[true]", PassOver),
    ("save_on_each_node", "[false]", PassOver),
    ("enable_jit_checkpoint", "[false]", PassOver),
    ("restore_callback_states_from_checkpoint", "[true, false]", PassOver),
    ("push_to_hub", "[false]", Refuse(HUB)),
    ("push_to_hub_model_id", "[]", PassOver),
    ("push_to_hub_organization", "[]", PassOver),
    ("push_to_hub_token", r#"["<PUSH_TO_HUB_TOKEN>"]"#, PassOver),
    ("hub_model_id", "[]", PassOver),
    ("hub_token", r#"["<HUB_TOKEN>"]"#, PassOver),
    ("hub_strategy", r#"["every_save"]"#, PassOver),
    ("hub_private_repo", "[false]", PassOver),
    ("hub_always_push", "[false]", PassOver),
    ("hub_revision", "[]", PassOver),
];

/// What a setting comes to that HuggingFace has and bertlab does not; none for a name that HuggingFace does
/// not have either.
pub fn foreign(name: &str, value: &Value) -> Option<Foreign> {
    let (_, ordinary, otherwise) = FOREIGN.iter().find(|(known, ..)| *known == name)?;
    let ordinary: Vec<Value> = serde_json::from_str(ordinary).expect("the table's lists are JSON");
    Some(match otherwise {
        _ if value.is_null() || ordinary.contains(value) => Foreign::Ordinary,
        PassOver => Foreign::PassedOver,
        Refuse(why) => Foreign::Refused(why, None),
        Instead(why, setting) => Foreign::Refused(why, Some(Hint::Setting(setting))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_line_of_the_table_can_be_read_and_stands_once() {
        let mut names: Vec<&str> = FOREIGN.iter().map(|(name, ..)| *name).collect();
        for name in &names {
            assert_eq!(foreign(name, &Value::Null), Some(Foreign::Ordinary), "{name}");
        }
        let n_names = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), n_names);
    }

    #[test]
    fn a_value_is_ordinary_passed_over_or_refused() {
        assert_eq!(foreign("dataloader_num_workers", &json!(0)), Some(Foreign::Ordinary));
        assert_eq!(foreign("dataloader_num_workers", &json!(4)), Some(Foreign::PassedOver));
        assert_eq!(foreign("optim", &json!("adamw_torch_fused")), Some(Foreign::Ordinary));
        assert_eq!(foreign("optim", &json!("adafactor")), Some(Foreign::Refused(ADAMW, None)));
        assert_eq!(foreign("learning_rate", &json!(1.0)), None);
    }
}
