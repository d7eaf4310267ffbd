//! Encrypting what is pushed, so that nobody but the browser can read it: RFC 8291, with the content coding `aes128gcm` of
//! RFC 8188.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::error::Unspecified;
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::rand::SecureRandom;

/// The size of a record, which RFC 8291 wants to be larger than what is sent in it.
const RECORD_BYTES: u32 = 4096;

/// Ends the last record (RFC 8188, section 2).
const LAST_RECORD: u8 = 2;

/// For whom something is encrypted.
#[derive(Clone, Copy)]
pub(super) struct Recipient<'r> {
    /// The public key: a point of P-256, uncompressed.
    pub(super) p256dh: &'r [u8],
    pub(super) auth: &'r [u8],
}

impl Recipient<'_> {
    /// Encrypts up to 3993 bytes, with a key that is made for them alone. Fails if the recipient's key is no point of the
    /// curve.
    pub(super) fn encrypt(self, text: &[u8], random: &dyn SecureRandom) -> Result<Vec<u8>, Unspecified> {
        let own_key = EphemeralPrivateKey::generate(&ECDH_P256, random)?;
        let own_public = own_key.compute_public_key()?;
        let mut salt = [0; 16];
        random.fill(&mut salt)?;
        let public = UnparsedPublicKey::new(&ECDH_P256, self.p256dh);
        agree_ephemeral(own_key, &public, |shared| self.seal(text, shared, own_public.as_ref(), salt))?
    }

    /// Encrypts with what both sides know. The names are those of RFC 8291, section 3.4.
    fn seal(
        self,
        text: &[u8],
        ecdh_secret: &[u8],
        as_public: &[u8],
        salt: [u8; 16],
    ) -> Result<Vec<u8>, Unspecified> {
        let key_info = [b"WebPush: info\0", self.p256dh, as_public].concat();
        let ikm: [u8; 32] = derive(self.auth, ecdh_secret, &key_info)?;
        let key: [u8; 16] = derive(&salt, &ikm, b"Content-Encoding: aes128gcm\0")?;
        let nonce: [u8; 12] = derive(&salt, &ikm, b"Content-Encoding: nonce\0")?;

        let mut record = [text, &[LAST_RECORD]].concat();
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?);
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record)?;
        let id_bytes = u8::try_from(as_public.len()).map_err(|_| Unspecified)?;
        Ok([&salt[..], &RECORD_BYTES.to_be_bytes(), &[id_bytes], as_public, &record].concat())
    }
}

/// HKDF with SHA-256 (RFC 5869).
fn derive<const BYTES: usize>(salt: &[u8], secret: &[u8], info: &[u8]) -> Result<[u8; BYTES], Unspecified> {
    struct Length(usize);

    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }

    let mut derived = [0; BYTES];
    let extracted = Salt::new(HKDF_SHA256, salt).extract(secret);
    extracted.expand(&[info], Length(BYTES))?.fill(&mut derived)?;
    Ok(derived)
}

#[cfg(test)]
mod tests {
    use base64::prelude::*;
    use ring::rand::SystemRandom;

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    const P256DH: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";

    #[test]
    fn the_example_of_the_rfc_is_encrypted_as_there() {
        let (p256dh, auth) = (bytes(P256DH), bytes("BTBZMqHH6r4Tts7J_aSIgg"));
        let recipient = Recipient { p256dh: &p256dh, auth: &auth };
        let as_public =
            "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
        let sealed = recipient.seal(
            b"When I grow up, I want to be a watermelon",
            &bytes("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs"),
            &bytes(as_public),
            bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap(),
        );
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWA\
                        mS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_\
                        Qulcy4a-fN";
        assert_eq!(BASE64_URL_SAFE_NO_PAD.encode(sealed.unwrap()), expected);
    }

    #[test]
    fn nothing_is_encrypted_for_a_key_that_is_none() {
        let (mut p256dh, random) = (bytes(P256DH), SystemRandom::new());
        let encrypt = |p256dh: &[u8]| Recipient { p256dh, auth: &[0; 16] }.encrypt(b"text", &random);
        let both = [encrypt(&p256dh).unwrap(), encrypt(&p256dh).unwrap()];
        assert_ne!(both[0], both[1], "each has a key and a salt of its own");
        p256dh[64] ^= 1;
        assert!(encrypt(&p256dh).is_err(), "it is no point of the curve");
        assert!(encrypt(&[]).is_err());
    }
}
