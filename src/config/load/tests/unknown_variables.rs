//! Variables that no key has: slips stop the start, others are warnings.

use super::Setting;

#[test]
fn a_variable_near_a_known_one_stops_the_start() {
    for (name, meant) in [
        ("GOTIFY_DEFAULTUSER_PASSWORD", "GOTIFY_DEFAULTUSER_PASS"),
        ("GOTIFY_DEFAULTUSER_PASSWORD_FILE", "GOTIFY_DEFAULTUSER_PASS"),
        ("GOTIFY_PORT", "GOTIFY_SERVER_PORT"),
    ] {
        assert_eq!(
            Setting::empty().variable(name, "8101").lines(),
            [format!("{name}: unknown variable, did you mean {meant}?")]
        );
    }
}

#[test]
fn a_line_end_in_the_name_of_a_variable_is_shown_as_such() {
    assert_eq!(
        Setting::empty().variable("GOTIFY_SERVER_PO\rRT", "8101").lines(),
        ["GOTIFY_SERVER_PO\\rRT: unknown variable, did you mean GOTIFY_SERVER_PORT?"]
    );
}

#[test]
fn other_unknown_variables_are_warnings() {
    assert_eq!(
        Setting::empty().variable("GOTIFY_TOKEN", "abc").variable("PATH", "/bin").warnings(),
        ["GOTIFY_TOKEN: unknown variable, ignored"]
    );
}

#[test]
fn what_kubernetes_sets_for_a_service_of_that_name_is_a_warning() {
    let setting = [
        ("GOTIFY_PORT", "tcp://10.0.0.1:80"),
        ("GOTIFY_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("GOTIFY_SERVER_PORT", "tcp://10.0.0.1:80"),
        ("GOTIFY_SERVER_SERVICE_PORT", "80"),
        ("GOTIFY_SERVICE_HOST", "10.0.0.1"),
    ]
    .into_iter()
    .fold(Setting::empty(), |setting, (name, value)| setting.variable(name, value));
    let warnings = setting.warnings();
    assert_eq!(warnings.len(), 5, "{warnings:#?}");
    assert!(warnings.iter().all(|line| line.contains("Kubernetes sets this variable")), "{warnings:#?}");
}
