//! What a plug-in has, for people and for programs.

use anyhow::Result;
use inr_plugin_api::host::Plugin;
use inr_plugin_api::{Filter, Kind, Param, Value};
use serde_json::{Value as Json, json};

use crate::output;

/// Prints filters with their inputs and parameters on standard output.
pub fn print(plugin: &Plugin, as_json: bool) -> Result<()> {
    let text = match as_json {
        true => format!("{}\n", json_of(plugin)),
        false => text_of(plugin),
    };
    output::to_stdout(text.as_bytes())
}

fn text_of(plugin: &Plugin) -> String {
    let path = plugin.path().display();
    let mut text = format!("{} {} ({path})\n", plugin.name(), plugin.version());
    for filter in plugin.filters() {
        text.push_str(&format!("\n{}: {}\n", filter.key, filter.hint));
        for input in filter.inputs.iter().skip(1) {
            let need = if input.required {
                ""
            } else {
                ", may be left out"
            };
            text.push_str(&format!(
                "    --input {}=PICTURE{need}: {}\n",
                input.key, input.hint
            ));
        }
        for param in &filter.params {
            text.push_str(&format!(
                "    --param {}={}: {}\n",
                param.key,
                takes(param),
                param.hint
            ));
        }
    }
    text
}

/// The values of a parameter in a few words.
fn takes(param: &Param) -> String {
    let default = param.default();
    match &param.kind {
        Kind::Number { range, .. } => format!("{}..{} [{default}]", range[0], range[1]),
        Kind::Bool(_) => format!("0|1 [{default}]"),
        Kind::Choice { choices, .. } => {
            let keys: Vec<&str> = choices.iter().map(|(key, _)| key.as_str()).collect();
            format!("{} [{default}]", keys.join("|"))
        }
        Kind::Text(_) => format!("TEXT [{default}]"),
        Kind::Rgb(_) => format!("R,G,B [{default}]"),
    }
}

fn json_of(plugin: &Plugin) -> Json {
    let filters: Vec<Json> = plugin.filters().iter().map(filter).collect();
    let encode: Option<Vec<Json>> = plugin
        .encode_params()
        .map(|params| params.iter().map(param).collect());
    json!({
        "id": plugin.id(), "name": plugin.name(), "version": plugin.version(), "path": plugin.path(),
        "capabilities": plugin.capabilities().words(), "filters": filters, "encode": encode,
    })
}

fn filter(filter: &Filter) -> Json {
    let inputs: Vec<Json> = filter
        .inputs
        .iter()
        .map(|input| {
            json!({
                "key": input.key, "label": input.label, "hint": input.hint, "required": input.required,
            })
        })
        .collect();
    let params: Vec<Json> = filter.params.iter().map(param).collect();
    json!({
        "id": filter.id, "key": filter.key, "label": filter.label, "hint": filter.hint, "version": filter.version,
        "capabilities": filter.capabilities.words(), "inputs": inputs, "params": params,
    })
}

fn param(param: &Param) -> Json {
    let default = match param.default() {
        Value::Number(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::Rgb(rgb) => json!(rgb),
    };
    let kind = match &param.kind {
        Kind::Number {
            range,
            display,
            step,
            digits,
            ..
        } => json!({
            "min": range[0], "max": range[1], "display": display, "step": step, "digits": digits,
        }),
        Kind::Choice { choices, .. } => {
            let choices: Vec<Json> = choices
                .iter()
                .map(|(key, label)| json!({ "key": key, "label": label }))
                .collect();
            json!({ "choices": choices })
        }
        Kind::Bool(_) | Kind::Text(_) | Kind::Rgb(_) => json!({}),
    };
    let name = param.kind.param_type().to_string();
    let mut object = json!({
        "key": param.key, "label": param.label, "hint": param.hint, "group": param.group, "type": name,
        "default": default, "enabled_by": param.enabled_by,
    });
    if let (Some(object), Json::Object(kind)) = (object.as_object_mut(), kind) {
        object.extend(kind);
    }
    object
}
