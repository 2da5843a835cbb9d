import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.Utils;

/** Record batches as Kafka's producer and broker write them, with what they contain; and values of its hash and checksum. */
final class GoldenRecords {
    private static final long NOW = 1_700_000_000_000L;
    private static final String UNIT = "0123456789abcdef";

    static List<JsonNode> batches() {
        List<JsonNode> cases = new ArrayList<>();
        for (CompressionType codec : CompressionType.values()) {
            cases.add(batch("plain", codec, small(), -1, (short) -1, -1, false, TimestampType.CREATE_TIME));
            cases.add(batch("transactional", codec, small(), 4_000_000_000_123L, (short) 7, 1000, true, TimestampType.CREATE_TIME));
            cases.add(batch("large", codec, large(codec), -1, (short) -1, -1, false, TimestampType.CREATE_TIME));
        }
        cases.add(batch("idempotent", CompressionType.NONE, small(), 12, (short) 0, 5, false, TimestampType.CREATE_TIME));
        cases.add(batch("log append time", CompressionType.NONE, small(), -1, (short) -1, -1, false, TimestampType.LOG_APPEND_TIME));
        cases.add(marker("commit", ControlRecordType.COMMIT));
        cases.add(marker("abort", ControlRecordType.ABORT));
        return cases;
    }

    private static List<SimpleRecord> small() {
        List<SimpleRecord> records = new ArrayList<>();
        records.add(new SimpleRecord(NOW, utf8("key-1"), utf8("value-1")));
        records.add(new SimpleRecord(NOW - 5000, null, utf8("no key, earlier")));
        records.add(new SimpleRecord(NOW + 86_400_000L * 400, utf8("tombstone, 400 days later"), null));
        records.add(new SimpleRecord(NOW, new byte[0], new byte[0]));
        Header[] headers = {
            new RecordHeader("trace", utf8("abc")), new RecordHeader("trace", utf8("def")),
            new RecordHeader("", (byte[]) null), new RecordHeader("ünïcode", new byte[0]),
        };
        records.add(new SimpleRecord(0, utf8("headers"), utf8("v"), headers));
        for (int i = 0; i < 70; i++) records.add(new SimpleRecord(NOW + i, utf8("k" + i), utf8("value ".repeat(i % 12))));
        return records;
    }

    /** Large enough for several blocks of every codec; less where it is stored as it is. */
    private static List<SimpleRecord> large(CompressionType codec) {
        List<SimpleRecord> records = new ArrayList<>();
        int size = codec == CompressionType.NONE ? 2_000 : 150_000;
        records.add(new SimpleRecord(NOW, utf8("big"), utf8(UNIT.repeat(size / UNIT.length()))));
        records.add(new SimpleRecord(NOW, utf8("after"), utf8("small")));
        return records;
    }

    private static JsonNode batch(String name, CompressionType codec, List<SimpleRecord> records, long producerId, short epoch,
            int sequence, boolean transactional, TimestampType timestampType) {
        MemoryRecordsBuilder builder = MemoryRecords.builder(ByteBuffer.allocate(1 << 20), (byte) 2, Compression.of(codec).build(),
            timestampType, 0L, timestampType == TimestampType.LOG_APPEND_TIME ? NOW + 77 : -1L, producerId, epoch, sequence, transactional, -1);
        for (SimpleRecord record : records) builder.append(record);
        ObjectNode node = Golden.JSON.createObjectNode().put("name", name).put("compression", codec.name);
        node.put("producerId", producerId).put("producerEpoch", epoch).put("baseSequence", sequence).put("transactional", transactional);
        node.put("logAppendTime", timestampType == TimestampType.LOG_APPEND_TIME ? NOW + 77 : -1L);
        node.put("hex", hex(builder.build().buffer()));
        ArrayNode list = node.putArray("records");
        for (SimpleRecord record : records) list.add(describe(record));
        return node;
    }

    private static JsonNode describe(SimpleRecord record) {
        ObjectNode node = Golden.JSON.createObjectNode().put("timestamp", record.timestamp());
        String value = text(record.value());
        node.put("key", text(record.key()));
        // Large values are one text many times over; spelling them out would make the fixture a hundred times larger.
        if (value == null || value.length() < 1000) node.put("value", value);
        else node.putObject("repeated").put("text", UNIT).put("times", value.length() / UNIT.length());
        ArrayNode headers = node.putArray("headers");
        for (Header header : record.headers()) {
            headers.addObject().put("key", header.key()).put("value", header.value() == null ? null : new String(header.value(), StandardCharsets.UTF_8));
        }
        return node;
    }

    private static String text(ByteBuffer bytes) {
        return bytes == null ? null : StandardCharsets.UTF_8.decode(bytes.duplicate()).toString();
    }

    private static JsonNode marker(String name, ControlRecordType type) {
        MemoryRecords records = MemoryRecords.withEndTransactionMarker(0, NOW, -1, 4_000_000_000_123L, (short) 7, new EndTransactionMarker(type, 3));
        return Golden.JSON.createObjectNode().put("name", name).put("marker", name).put("producerId", 4_000_000_000_123L)
            .put("producerEpoch", 7).put("coordinatorEpoch", 3).put("timestamp", NOW).put("hex", hex(records.buffer()));
    }

    static List<JsonNode> checksums() {
        List<JsonNode> cases = new ArrayList<>();
        Random random = new Random(42);
        for (int length = 0; length < 48; length++) cases.add(checksum(random, length));
        for (int length : new int[] {100, 319, 320, 321, 1000}) cases.add(checksum(random, length));
        return cases;
    }

    private static JsonNode checksum(Random random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return Golden.JSON.createObjectNode().put("hex", Golden.hex(bytes)).put("murmur2", Utils.murmur2(bytes))
            .put("partitionOf7", Utils.toPositive(Utils.murmur2(bytes)) % 7).put("crc32c", crc.getValue());
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String hex(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return Golden.hex(bytes);
    }
}
