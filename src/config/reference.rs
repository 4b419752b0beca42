//! x
/// x
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(super::Config).to_value()
}
/// x
pub fn sample() -> String {
    super::yaml::to_string(&super::Config::default()).unwrap()
}
/// x
pub fn reference() -> String {
    String::new()
}
