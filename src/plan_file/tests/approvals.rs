use super::*;

const LATER: &str = "2026-11-23T10:00:00Z";

fn planned() -> (tempfile::TempDir, PlanFile) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.plan");
    write_ids(&path, &users(3));
    let plan = PlanFile::open(&path).unwrap();
    (folder, plan)
}

fn approve(plan: &PlanFile, by: &Actor) -> Result<PlanFile, PlanFileError> {
    PlanFile::approve(plan.path(), plan.digest(), by, &key(7), moment(LATER))
}

#[test]
fn others_approve_each_once_and_the_plan_stays_what_it_was() {
    let (_folder, plan) = planned();
    let once = approve(&plan, &actor("ben")).unwrap();
    let twice = approve(&once, &actor("cem")).unwrap();
    let who = |plan: &PlanFile| -> Vec<String> {
        plan.approvals().iter().map(|a| a.by.to_string()).collect()
    };
    assert_eq!(who(&twice), ["ben@desk-1", "cem@desk-1"]);
    assert_eq!(twice.approvals()[0].at, moment(LATER));
    assert_eq!(twice.digest(), plan.digest());
    twice.check_approvals(&key(7)).unwrap();
    assert_eq!(read_all(&twice, &key(7)).unwrap(), users(3));
    // Approves from a copy that was opened before the other approvals.
    let third = approve(&plan, &actor("dora")).unwrap();
    assert_eq!(third.approvals().len(), 3);
    let again = approve(&plan, &actor("ben")).unwrap_err();
    assert!(matches!(again, PlanFileError::Again { .. }), "{again}");
}

#[test]
fn one_account_name_is_one_person_on_whatever_host_and_in_whatever_letters() {
    let (_folder, plan) = planned();
    for creator in [
        actor("anna"),
        Actor::new("anna", "elsewhere"),
        Actor::new("Anna", "desk-2"),
    ] {
        let error = approve(&plan, &creator).unwrap_err();
        assert!(matches!(error, PlanFileError::OwnPlan { .. }), "{error}");
    }
    let once = approve(&plan, &actor("ben")).unwrap();
    let error = approve(&once, &Actor::new("BEN", "elsewhere")).unwrap_err();
    assert!(matches!(error, PlanFileError::Again { .. }), "{error}");
}

fn with_line(plan: &PlanFile, approval: &Approval) -> PlanFile {
    let mut text = std::fs::read_to_string(plan.path()).unwrap();
    text.push_str(&approval.to_line());
    std::fs::write(plan.path(), text).unwrap();
    PlanFile::open(plan.path()).unwrap()
}

#[test]
fn an_approval_without_the_key_is_forged() {
    let (_folder, plan) = planned();
    let (digest, salt) = (*plan.digest(), *plan.salt());
    let forged = Approval::new(actor("ben"), moment(LATER), digest, &key(8), &salt);
    let error = with_line(&plan, &forged).check_approvals(&key(7));
    assert!(
        matches!(error, Err(PlanFileError::Forged { .. })),
        "{error:?}"
    );
    let error = approve(&plan, &actor("cem")).unwrap_err();
    assert!(matches!(error, PlanFileError::Forged { .. }), "{error}");
}

#[test]
fn an_approval_in_another_name_or_at_another_time_is_forged() {
    for (from, to) in [
        ("ben", "cem"),
        ("desk-1", "desk-2"),
        ("11-23T10", "11-23T11"),
    ] {
        let (_folder, plan) = planned();
        let once = approve(&plan, &actor("ben")).unwrap();
        let text = std::fs::read_to_string(once.path()).unwrap();
        let (plan, approval) = text.rsplit_once("{\"approval\"").unwrap();
        let changed = format!("{plan}{{\"approval\"{}", approval.replace(from, to));
        std::fs::write(once.path(), changed).unwrap();
        let changed = PlanFile::open(once.path()).unwrap();
        let error = changed.check_approvals(&key(7)).unwrap_err();
        assert!(
            matches!(error, PlanFileError::Forged { .. }),
            "{to}: {error}"
        );
    }
}

#[test]
fn an_approval_of_the_plan_before_is_for_another_one() {
    let (_folder, plan) = planned();
    let once = approve(&plan, &actor("ben")).unwrap();
    let (_other_folder, again) = planned();
    let error = with_line(&again, &once.approvals()[0]).check_approvals(&key(7));
    assert!(
        matches!(error, Err(PlanFileError::ForAnother { .. })),
        "{error:?}"
    );
}

#[test]
fn an_approval_that_dsr_would_not_write_is_refused() {
    let (_folder, plan) = planned();
    let (digest, salt) = (*plan.digest(), *plan.salt());
    let of = |who: &str| Approval::new(actor(who), moment(LATER), digest, &key(7), &salt);
    let own = with_line(&plan, &of("ANNA")).check_approvals(&key(7));
    assert!(
        matches!(own, Err(PlanFileError::ByCreator { .. })),
        "{own:?}"
    );
    let (_folder, plan) = planned();
    let (digest, salt) = (*plan.digest(), *plan.salt());
    let of = |who: &str| Approval::new(actor(who), moment(LATER), digest, &key(7), &salt);
    with_line(&plan, &of("ben"));
    let twice = with_line(&plan, &of("Ben")).check_approvals(&key(7));
    assert!(
        matches!(twice, Err(PlanFileError::Doubled { .. })),
        "{twice:?}"
    );
}

#[test]
fn a_replaced_plan_file_is_not_approved() {
    let (_folder, plan) = planned();
    let path = plan.path().to_owned();
    std::fs::remove_file(&path).unwrap();
    write_ids(&path, &users(4));
    let error = approve(&plan, &actor("ben")).unwrap_err();
    assert!(matches!(error, PlanFileError::Replaced { .. }), "{error}");
    assert!(PlanFile::open(&path).unwrap().approvals().is_empty());
}
