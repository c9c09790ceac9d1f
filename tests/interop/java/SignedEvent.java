import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.spec.EdECPrivateKeySpec;
import java.security.spec.NamedParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/** The bytes of records.md 1: signed message, digest, signature block, fingerprint. JDK and Jackson only. */
final class SignedEvent {
    private static final byte[] SPKI = HexFormat.of().parseHex("302a300506032b6570032100");
    private static final ObjectMapper JSON = new ObjectMapper();

    private SignedEvent() {}

    /** The signed message, from an event's headers and where it stands on its own topic. */
    static byte[] message(Map<String, String> headers, String topic, int partition, byte[] key, byte[] value)
            throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.write("casebus/event/v1\n".getBytes(StandardCharsets.UTF_8));
        text(out, headers.get("casebus-producer"));
        out.writeLong(Long.parseUnsignedLong(headers.get("casebus-seq")));
        out.write(java.util.Base64.getUrlDecoder().decode(headers.get("casebus-prev")));
        text(out, topic);
        out.writeInt(partition);
        text(out, new String(key, StandardCharsets.UTF_8));
        out.write(HexFormat.of().parseHex(headers.get("ce_dataschema").substring("sha256:".length())));
        text(out, headers.get("content-type"));
        UUID id = UUID.fromString(headers.get("ce_id"));
        out.writeLong(id.getMostSignificantBits());
        out.writeLong(id.getLeastSignificantBits());
        text(out, headers.get("ce_type"));
        text(out, headers.get("ce_source"));
        out.writeLong(OffsetDateTime.parse(headers.get("ce_time")).toInstant().toEpochMilli());
        out.write(sha256(value));
        return bytes.toByteArray();
    }

    /** The signature block: version, algorithm, key id, Ed25519 signature. */
    static byte[] sign(byte[] message, byte[] seed) throws Exception {
        KeyFactory keys = KeyFactory.getInstance("Ed25519");
        PrivateKey secret = keys.generatePrivate(new EdECPrivateKeySpec(NamedParameterSpec.ED25519, seed));
        Signature signer = Signature.getInstance("Ed25519");
        signer.initSign(secret);
        signer.update(message);
        return ByteBuffer.allocate(98)
                .put(new byte[] {1, 1}).put(keyId(publicKey(seed))).put(signer.sign()).array();
    }

    /** Whether the block signs the message under the raw public key. */
    static boolean verify(byte[] block, byte[] message, byte[] publicKey) throws Exception {
        if (block.length != 98 || block[0] != 1 || block[1] != 1
                || !Arrays.equals(keyId(publicKey), Arrays.copyOfRange(block, 2, 34))) {
            return false;
        }
        byte[] encoded = ByteBuffer.allocate(44).put(SPKI).put(publicKey).array();
        PublicKey key = KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
        Signature verifier = Signature.getInstance("Ed25519");
        verifier.initVerify(key);
        verifier.update(message);
        return verifier.verify(Arrays.copyOfRange(block, 34, 98));
    }

    static byte[] keyId(byte[] publicKey) throws Exception {
        return sha256(ByteBuffer.allocate(33).put((byte) 1).put(publicKey).array());
    }

    /** The raw public key of a seed: the JDK derives it only while it generates a pair. */
    static byte[] publicKey(byte[] seed) throws Exception {
        KeyPairGenerator pairs = KeyPairGenerator.getInstance("Ed25519");
        pairs.initialize(NamedParameterSpec.ED25519, new SecureRandom() {
            @Override
            public void nextBytes(byte[] bytes) {
                System.arraycopy(seed, 0, bytes, 0, bytes.length);
            }
        });
        byte[] encoded = pairs.generateKeyPair().getPublic().getEncoded();
        return Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length);
    }

    /** SHA-256 of the canonical JSON of a schema as the registry gives it (full names, types inside). */
    static byte[] fingerprint(String schema) throws Exception {
        return sha256(JSON.writeValueAsBytes(sorted(canonical(JSON.readTree(schema)))));
    }

    private static JsonNode canonical(JsonNode node) {
        if (node instanceof ArrayNode list) {
            ArrayNode kept = JSON.createArrayNode();
            list.forEach(one -> kept.add(canonical(one)));
            return kept;
        }
        if (node instanceof ObjectNode object) {
            ObjectNode kept = object.deepCopy();
            kept.remove("doc");
            for (String inner : new String[] {"type", "items", "values", "fields"}) {
                if (kept.has(inner)) {
                    kept.set(inner, canonical(kept.get(inner)));
                }
            }
            return kept;
        }
        return node;
    }

    private static JsonNode sorted(JsonNode node) {
        if (node instanceof ArrayNode list) {
            ArrayNode kept = JSON.createArrayNode();
            list.forEach(one -> kept.add(sorted(one)));
            return kept;
        }
        if (node instanceof ObjectNode object) {
            TreeMap<String, JsonNode> byName = new TreeMap<>();
            object.properties().forEach(entry -> byName.put(entry.getKey(), sorted(entry.getValue())));
            ObjectNode kept = JSON.createObjectNode();
            byName.forEach(kept::set);
            return kept;
        }
        return node;
    }

    static byte[] sha256(byte[] bytes) throws Exception {
        return MessageDigest.getInstance("SHA-256").digest(bytes);
    }

    private static void text(DataOutputStream out, String text) throws Exception {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeShort(bytes.length);
        out.write(bytes);
    }
}
