//! Messages about lists that are not what they should be.

use crate::scene::{Scene, snapshot};

fn of(text: &str, flags: &[&str]) -> Scene {
    of_file("list.csv", text, flags)
}

fn of_file(name: &str, text: impl AsRef<[u8]>, flags: &[&str]) -> Scene {
    let mut scene = Scene::usual();
    scene.operator.file(name, text);
    scene.shows(&[&["export", "--ccpa", name], flags].concat());
    scene
}

fn deletion_without(hold: &str) -> [&str; 6] {
    ["delete", "--gdpr", "--yes", "ids.csv", "--exclude", hold]
}

#[test]
fn lines_that_are_no_ids() {
    let text = "distinct_id\n1.23E+12\nuser-1\n#N/A\n\n=SUM(A1:A9)\nuser 2\n2024-05-31\n";
    snapshot!(of(text, &[]).plain(&["export", "--ccpa", "list.csv"]));
}

#[test]
fn an_id_with_white_space_around_it() {
    snapshot!(of("distinct_id\n user-1\nuser-2 \n", &[]));
}

#[test]
fn a_list_of_which_a_part_is_a_table() {
    snapshot!(of("user-1\nuser-2,DE\nuser-3\n", &[]));
}

#[test]
fn a_table_with_no_known_column() {
    snapshot!(of("mail,country\nana@x.test,DE\n", &[]));
}

#[test]
fn a_table_with_several_columns_of_ids() {
    snapshot!(of("distinct_id,user_id\nu-1,1\n", &[]));
}

#[test]
fn a_table_without_the_column_that_is_named() {
    snapshot!(of("distinct_id,country\nu-1,DE\n", &["--column", "user"]));
}

#[test]
fn a_table_without_a_heading() {
    snapshot!(of("user-1001\nuser-1002\n", &["--format", "csv"]));
}

#[test]
fn a_row_with_too_many_fields() {
    snapshot!(of("distinct_id,country\nu-1,DE\nu-2,DE,x\n", &[]));
}

#[test]
fn a_list_without_ids() {
    snapshot!(of("distinct_id\n", &[]));
}

#[test]
fn a_list_that_is_not_utf_8() {
    snapshot!(of_file("list.csv", b"distinct_id\nJos\xe9\n", &[]));
}

#[test]
fn a_list_that_is_no_text() {
    snapshot!(of_file("list.bin", [0_u8, 159, 146, 150, 0, 1, 2], &[]));
}

#[test]
fn a_line_that_is_no_json() {
    snapshot!(of_file(
        "list.jsonl",
        "{\"distinct_id\":\"u-1\"}\n{\"distinct_id\":\n",
        &[]
    ));
}

#[test]
fn a_value_that_another_pattern_was_expected_of() {
    snapshot!(of(
        "distinct_id\nuser-1\nuser-x\n",
        &["--expect-pattern", "user-[0-9]+"]
    ));
}

#[test]
fn a_file_that_is_not_there() {
    let mut scene = Scene::usual();
    snapshot!(scene.shows(&["delete", "--gdpr", "--yes", "id.csv"]));
}

#[test]
fn a_word_that_is_no_file_among_files() {
    let mut scene = Scene::usual();
    snapshot!(scene.shows(&["delete", "--gdpr", "--yes", "ids.csv", "user-7"]));
}

#[test]
fn a_list_of_ids_on_the_command_line() {
    let mut scene = Scene::usual();
    snapshot!(scene.shows(&["delete", "--gdpr", "--yes", "user-7,user-8"]));
}

#[test]
fn a_file_of_people_under_hold_is_not_there() {
    snapshot!(Scene::usual().shows(&deletion_without("hold.csv")));
}

#[test]
fn an_id_that_is_nearly_one_under_hold() {
    let mut scene = Scene::usual();
    scene.operator.file("hold.csv", "distinct_id\nUser-1002\n");
    let args = deletion_without("hold.csv");
    snapshot!(scene.shows(&args).plain(&args));
}

#[test]
fn everybody_is_under_hold() {
    snapshot!(Scene::usual().shows(&deletion_without("ids.csv")));
}

#[test]
fn ids_come_from_standard_input() {
    let mut scene = Scene::usual();
    let args = ["export", "--gdpr", "-"];
    snapshot!(
        scene
            .pipes_in(&args, "distinct_id\nuser-1\nuser-2\n")
            .pipes_in(&args, "")
    );
}
