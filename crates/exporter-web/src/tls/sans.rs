//! Whom a certificate names.

use rustls::CertificateError;
use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

/// The alternative names of a certificate, of the four kinds that Go reads, written as Go writes them.
pub(super) fn sans(certificate: &CertificateDer<'_>) -> Result<Vec<String>, rustls::Error> {
    let malformed = || rustls::Error::from(CertificateError::BadEncoding);
    let (_, parsed) = parse_x509_certificate(certificate).map_err(|_| malformed())?;
    let Some(extension) = parsed.subject_alternative_name().map_err(|_| malformed())? else { return Ok(Vec::new()) };
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other kind can be allowed")]
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => Some((*text).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    };
    Ok(extension.value.general_names.iter().filter_map(name).collect())
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(std::net::Ipv4Addr::from(v4).to_string());
    }
    let v6 = <[u8; 16]>::try_from(bytes).ok()?;
    Some(std::net::Ipv6Addr::from(v6).to_canonical().to_string())
}
