//! What this dialect says where the state of things forbids a change.

use std::borrow::Cow;

use http::StatusCode;

use super::answer::Answer;
use crate::domain::error::Refusal;

/// Status, code, slug and words of a refusal.
pub(super) fn of(refusal: &Refusal) -> Answer {
    let bad = |code, slug, message: Cow<'static, str>| {
        Answer::new(StatusCode::BAD_REQUEST, code, slug, message)
    };
    match refusal {
        Refusal::AuthConfigDisabled => bad(600, "ConnectedAccount_BadRequest", "Auth config is disabled".into())
            .fix("Enable the auth config first."),
        Refusal::AuthConfigTypeMismatch { managed } => {
            let kind = if *managed { "default" } else { "custom" };
            bad(301, "Auth_Config_ValidationError", format!("The type of this auth config is \"{kind}\"").into())
                .fix(format!("Send \"type\": \"{kind}\"."))
        }
        Refusal::NoManagedApp { toolkit } => bad(
            306,
            "Auth_Config_DefaultAuthConfigNotFound",
            format!("No managed auth config is available for toolkit \"{toolkit}\"").into(),
        )
        .fix("Use \"type\": \"use_custom_auth\" with credentials of your own app."),
        Refusal::NoAuthApp { toolkit } => {
            bad(303, "Auth_Config_NoAuthApp", format!("Toolkit \"{toolkit}\" needs no authentication").into())
                .fix("Use the toolkit without an auth config.")
        }
        Refusal::MissingClientMember { field, scheme, toolkit } => bad(
            301,
            "Auth_Config_ValidationError",
            format!("Missing required field \"{field}\" for auth scheme \"{scheme}\" in toolkit \"{toolkit}\"").into(),
        )
        .fix("Put the field into auth_config.credentials."),
        Refusal::ManagedNeedsLink => bad(
            600,
            "ConnectedAccount_BadRequest",
            "A connection with a managed auth config is made by its user: POST /connected_accounts/link".into(),
        )
        .fix("Use POST /connected_accounts/link and send your user to its redirect_url."),
        Refusal::OtherScheme { expected } => bad(
            600,
            "ConnectedAccount_BadRequest",
            format!("The auth config's scheme is {expected}").into(),
        )
        .fix(format!("Send \"authScheme\": \"{expected}\".")),
        Refusal::NoCredential => bad(
            600,
            "ConnectedAccount_BadRequest",
            "The connected account has no credential".into(),
        )
        .fix("Connect it first: POST /connected_accounts/link."),
        Refusal::Ended { status } => bad(
            600,
            "ConnectedAccount_BadRequest",
            format!("The connected account is {status}").into(),
        )
        .fix("Give it a new credential: PATCH /connected_accounts/{nanoid}."),
        Refusal::MissingFields(names) => bad(
            612,
            "ConnectedAccount_MissingRequiredFields",
            format!("Missing required fields: {}", names.join(", ")).into(),
        )
        .fix("Put the fields into connection.state.val."),
        Refusal::NotRefreshable { scheme } => Answer::new(
            StatusCode::CONFLICT,
            10409,
            "HTTP_Conflict",
            format!("Credentials of the scheme {scheme} cannot be refreshed"),
        )
        .fix("Give the connected account a new credential instead."),
        // The public SDKs make an error of its own of these words.
        Refusal::OnlyForShared => bad(
            600,
            "ConnectedAccount_BadRequest",
            "acl_config_for_shared is only valid on SHARED connections".into(),
        )
        .fix("Leave experimental.acl_config_for_shared out: only its own user uses a connected account."),
        Refusal::AliasTaken => Answer::new(
            StatusCode::CONFLICT,
            10409,
            "HTTP_Conflict",
            "The alias is taken by another connected account of this user and toolkit",
        )
        .fix("Choose another alias."),
        Refusal::NameTaken => Answer::new(StatusCode::CONFLICT, 10409, "HTTP_Conflict", "The name is taken")
            .fix("Choose another name."),
        Refusal::DiskFull => Answer::unavailable("Writes are refused: the server's disk is almost full"),
    }
}
