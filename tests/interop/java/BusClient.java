import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Utils;

/**
 * Another language on the bus: `BusClient produce AGENCY TO` says one referral, `BusClient consume AGENCY` reads all
 * notices of an agency, each checked against the speakers' announced keys. One JSON line a record.
 */
public final class BusClient {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private final JsonNode connection;
    private final JsonNode principal;
    private final Map<Integer, String> schemas = new HashMap<>();

    private BusClient(String agency) throws Exception {
        connection = JSON.readTree(Path.of(System.getenv("CASEBUS_CONNECTION")).toFile());
        principal = connection.get("principals").get(agency);
    }

    public static void main(String[] arguments) throws Exception {
        BusClient client = new BusClient(arguments[1]);
        switch (arguments[0]) {
            case "produce" -> client.produce(arguments[1], arguments[2]);
            case "consume" -> client.consume(arguments[1]);
            default -> throw new IllegalArgumentException("produce AGENCY TO | consume AGENCY");
        }
    }

    private Properties login() throws Exception {
        Properties settings = new Properties();
        String password = Files.readString(Path.of(principal.get("password_file").asText())).strip();
        settings.put("bootstrap.servers", connection.get("bootstrap_servers").asText());
        settings.put("security.protocol", connection.get("security_protocol").asText());
        settings.put("sasl.mechanism", "SCRAM-SHA-512");
        settings.put("sasl.jaas.config", "org.apache.kafka.common.security.scram.ScramLoginModule required username=\""
                + principal.get("username").asText() + "\" password=\"" + password + "\";");
        return settings;
    }

    private JsonNode registry(String path) throws Exception {
        return answer(path, HttpRequest.newBuilder());
    }

    /** The id of a schema, however this library spells it. */
    private int lookUp(String subject, Schema schema) throws Exception {
        String body = JSON.createObjectNode().put("schema", schema.toString()).toString();
        HttpRequest.Builder request = HttpRequest.newBuilder()
                .header("Content-Type", "application/vnd.schemaregistry.v1+json")
                .POST(HttpRequest.BodyPublishers.ofString(body));
        return answer("subjects/" + subject, request).get("id").asInt();
    }

    private JsonNode answer(String path, HttpRequest.Builder request) throws Exception {
        URI address = URI.create(connection.get("registry_url").asText() + "/" + path);
        HttpResponse<String> answer = HTTP.send(
                request.uri(address).timeout(Duration.ofSeconds(10)).build(), HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new IllegalStateException(path + ": " + answer.body());
        }
        return JSON.readTree(answer.body());
    }

    // --- saying -----------------------------------------------------------------------------------------

    private void produce(String agency, String to) throws Exception {
        JsonNode found = registry("subjects/casebus.referral.Submitted/versions/latest");
        Schema schema = new Schema.Parser().parse(found.get("schema").asText());
        Instant occurredAt = Instant.parse("2016-10-18T00:00:00Z");
        String topic = agency + ".referral";
        byte[] value = framed(lookUp(topic + "-value", schema), schema, referral(schema, to, occurredAt));

        byte[] key = UUID.randomUUID().toString().getBytes(StandardCharsets.UTF_8);
        int partition = Utils.toPositive(Utils.murmur2(key)) % connection.get("partitions").asInt();
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("ce_specversion", "1.0");
        headers.put("ce_id", UUID.randomUUID().toString());
        headers.put("ce_source", "/" + agency + "/java");
        headers.put("ce_type", "referral.submitted");
        headers.put("ce_time", occurredAt.toString());
        headers.put("ce_subject", new String(key, StandardCharsets.UTF_8));
        headers.put("ce_dataschema",
                "sha256:" + HexFormat.of().formatHex(SignedEvent.fingerprint(found.get("schema").asText())));
        headers.put("content-type", "application/avro");
        headers.put("casebus-producer", agency + "-java." + System.currentTimeMillis());
        headers.put("casebus-seq", "1");
        headers.put("casebus-prev", plain(new byte[32]));
        byte[] message = SignedEvent.message(headers, topic, partition, key, value);
        byte[] seed = HexFormat.of()
                .parseHex(Files.readString(Path.of(principal.get("signing_key_file").asText())).strip());
        headers.put("casebus-sig", plain(SignedEvent.sign(message, seed)));

        Properties settings = login();
        settings.put("acks", "all");
        settings.put("enable.idempotence", "true");
        try (var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            var record = new ProducerRecord<>(topic, partition, key, value);
            headers.forEach((name, text) -> record.headers().add(name, text.getBytes(StandardCharsets.UTF_8)));
            RecordMetadata sent = producer.send(record).get();
            ObjectNode line = JSON.createObjectNode();
            line.put("topic", sent.topic()).put("partition", sent.partition()).put("offset", sent.offset());
            line.put("chain", headers.get("ce_subject"));
            line.put("digest", HexFormat.of().formatHex(SignedEvent.sha256(message)));
            System.out.println(line);
        }
    }

    private static GenericRecord referral(Schema schema, String to, Instant occurredAt) {
        Schema envelopes = schema.getField("envelope").schema();
        GenericRecord envelope = new GenericRecordBuilder(envelopes)
                .set("message_class", symbol(envelopes, "message_class", "initial"))
                .set("precision", symbol(envelopes, "precision", "day"))
                .set("date_basis", symbol(envelopes, "date_basis", "stated"))
                .set("handling", symbol(envelopes, "handling", "H1"))
                .set("to", List.of(to))
                .set("occurred_at", occurredAt.toEpochMilli())
                .build();
        return new GenericRecordBuilder(schema).set("envelope", envelope).build();
    }

    private static GenericData.EnumSymbol symbol(Schema record, String field, String word) {
        return new GenericData.EnumSymbol(record.getField(field).schema(), word);
    }

    private static byte[] framed(int id, Schema schema, GenericRecord data) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(ByteBuffer.allocate(5).put((byte) 0).putInt(id).array());
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
        new GenericDatumWriter<GenericRecord>(schema).write(data, encoder);
        encoder.flush();
        return out.toByteArray();
    }

    // --- hearing ----------------------------------------------------------------------------------------

    private void consume(String agency) throws Exception {
        Properties settings = login();
        settings.put("auto.offset.reset", "earliest");
        settings.put("enable.auto.commit", "false");
        settings.put("group.id", agency + ".java");
        try (var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            // By speaker and id: only who holds a topic of keys can write there, and nobody vouches for another.
            Map<String, byte[]> keys = new HashMap<>();
            String[] topics = {"csrc.key", "mps.key", "spp.key", "court.key", "bus.key"};
            for (ConsumerRecord<byte[], byte[]> record : all(consumer, topics)) {
                GenericRecord data = decode(record.value());
                if (headers(record).get("ce_type").equals("key.announced")) {
                    byte[] announced = bytes(data.get("public_key"));
                    String speaker = record.topic().substring(0, record.topic().indexOf('.'));
                    keys.put(speaker + " " + HexFormat.of().formatHex(SignedEvent.keyId(announced)), announced);
                }
            }
            for (ConsumerRecord<byte[], byte[]> record : all(consumer, "inbox." + agency)) {
                System.out.println(told(record, keys));
            }
        }
    }

    private ObjectNode told(ConsumerRecord<byte[], byte[]> record, Map<String, byte[]> keys) throws Exception {
        Map<String, String> headers = headers(record);
        String[] origin = headers.get("casebus-origin").split("/");
        byte[] message = SignedEvent.message(
                headers, origin[0], Integer.parseInt(origin[1]), record.key(), record.value());
        byte[] block = Base64.getUrlDecoder().decode(headers.get("casebus-sig"));
        String speaker = headers.get("ce_source").split("/")[1];
        String keyId = HexFormat.of().formatHex(Arrays.copyOfRange(block, 2, 34));
        byte[] publicKey = keys.get(speaker + " " + keyId);
        String schema = schemaText(ByteBuffer.wrap(record.value()).getInt(1));
        String fingerprint = HexFormat.of().formatHex(SignedEvent.fingerprint(schema));
        ObjectNode line = JSON.createObjectNode();
        line.put("offset", record.offset()).put("type", headers.get("ce_type"));
        line.put("chain", headers.get("ce_subject")).put("notice", headers.get("casebus-notice"));
        line.put("digest", HexFormat.of().formatHex(SignedEvent.sha256(message)));
        line.put("signed", publicKey != null && SignedEvent.verify(block, message, publicKey));
        line.put("same_schema", headers.get("ce_dataschema").equals("sha256:" + fingerprint));
        GenericRecord envelope = (GenericRecord) decode(record.value()).get("envelope");
        line.put("occurred_at", (Long) envelope.get("occurred_at"));
        line.put("to", envelope.get("to").toString());
        return line;
    }

    private GenericRecord decode(byte[] value) throws Exception {
        Schema schema = new Schema.Parser().parse(schemaText(ByteBuffer.wrap(value).getInt(1)));
        BinaryDecoder body = DecoderFactory.get().binaryDecoder(value, 5, value.length - 5, null);
        GenericRecord data = new GenericDatumReader<GenericRecord>(schema).read(null, body);
        if (!body.isEnd()) {
            throw new IllegalStateException("bytes left over");
        }
        return data;
    }

    private String schemaText(int id) throws Exception {
        if (!schemas.containsKey(id)) {
            schemas.put(id, registry("schemas/ids/" + id).get("schema").asText());
        }
        return schemas.get(id);
    }

    /** Everything that stands in topics now. */
    private static List<ConsumerRecord<byte[], byte[]>> all(KafkaConsumer<byte[], byte[]> consumer, String... topics) {
        List<TopicPartition> places = Arrays.stream(topics)
                .flatMap(topic -> consumer.partitionsFor(topic).stream())
                .map(found -> new TopicPartition(found.topic(), found.partition()))
                .toList();
        consumer.assign(places);
        consumer.seekToBeginning(places);
        Map<TopicPartition, Long> ends = consumer.endOffsets(places);
        var records = new java.util.ArrayList<ConsumerRecord<byte[], byte[]>>();
        while (places.stream().anyMatch(place -> consumer.position(place) < ends.get(place))) {
            ConsumerRecords<byte[], byte[]> batch = consumer.poll(Duration.ofSeconds(1));
            batch.forEach(records::add);
        }
        return records;
    }

    private static Map<String, String> headers(ConsumerRecord<byte[], byte[]> record) {
        Map<String, String> found = new LinkedHashMap<>();
        record.headers().forEach(
                header -> found.putIfAbsent(header.key(), new String(header.value(), StandardCharsets.UTF_8)));
        return found;
    }

    private static byte[] bytes(Object value) {
        ByteBuffer buffer = ((ByteBuffer) value).duplicate();
        byte[] copy = new byte[buffer.remaining()];
        buffer.get(copy);
        return copy;
    }

    private static String plain(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }
}
