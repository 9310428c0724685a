//! Certificates: an authority of one's own, and what it signs, as files in PEM.

use std::fs;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

use crate::folder::Folder;

/// An authority that only those trust who are given its certificate. Its files, and those of what
/// it signed, are removed when it is dropped.
#[derive(Debug)]
pub struct Authority {
    folder: Folder,
    issuer: Issuer<'static, KeyPair>,
}

/// The files of a server's certificate and its key.
#[derive(Debug, Clone)]
pub struct Certificate {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
}

impl Authority {
    /// One with a key of its own; several may have the same name.
    ///
    /// # Panics
    ///
    /// When the folder for temporary files is not writable.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let folder = Folder::new();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key can be made");
        let own = params.self_signed(&key).expect("the key signs");
        folder.write("ca.pem", own.pem());
        let issuer = Issuer::new(params, key);
        Self { folder, issuer }
    }

    /// Its own certificate, for those who are to trust it.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate for a host's name or address.
    #[must_use]
    pub fn certify(&self, host: &str) -> Certificate {
        self.sign(host, &params(host))
    }

    /// One whose time is over.
    #[must_use]
    pub fn certify_expired(&self, host: &str) -> Certificate {
        let mut params = params(host);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
        self.sign(&format!("{host}-expired"), &params)
    }

    /// One whose time has not come.
    #[must_use]
    pub fn certify_for_later(&self, host: &str) -> Certificate {
        let mut params = params(host);
        params.not_before = date_time_ymd(4000, 1, 1);
        params.not_after = date_time_ymd(4001, 1, 1);
        self.sign(&format!("{host}-later"), &params)
    }

    /// That of another authority, such as `openssl req -x509` makes, which no server may use.
    #[must_use]
    pub fn certify_as_authority(&self, host: &str) -> Certificate {
        let mut params = params(host);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        self.sign(&format!("{host}-authority"), &params)
    }

    fn sign(&self, name: &str, params: &CertificateParams) -> Certificate {
        let key = KeyPair::generate().expect("a key can be made");
        let signed = params.signed_by(&key, &self.issuer).expect("the key signs");
        let write = |kind, pem| self.folder.write(&format!("{name}.{kind}.pem"), pem);
        Certificate {
            chain: write("chain", signed.pem()),
            key: write("key", key.serialize_pem()),
        }
    }
}

impl Certificate {
    /// Puts another certificate into the files of this one, for a server that starts again.
    ///
    /// # Panics
    ///
    /// When the files are gone.
    pub fn replace_by(&self, other: &Self) {
        for (from, to) in [(&other.chain, &self.chain), (&other.key, &self.key)] {
            fs::copy(from, to).expect("both certificates have files");
        }
    }
}

fn params(host: &str) -> CertificateParams {
    CertificateParams::new([host.to_owned()]).expect("the host is a name or an address")
}
