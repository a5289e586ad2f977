namespace OciTool.Tests.Layers.Corpus;

internal static partial class LayerCorpus
{
    private static OddLayer[] Types() =>
    [
        Applied("D01", "character device 1:3", "made as root, else left out with a warning", New().Add("null", '3', major: 1, minor: 3), Tree().Device("null", 'c', 1, 3)),
        Applied("D02", "block device 8:0", "made as root, else left out with a warning", New().Add("sda", '4', major: 8), Tree().Device("sda", 'b', 8, 0)),
        Applied("D03", "FIFO", "made", New().Add("fifo", '6'), Tree().Fifo("fifo")),
        Applied("D04", "mode 06755 and another owner", "set-id bits survive the change of owner", New().Add("f", mode: 0xded, uid: 7), Tree().File("f", "", 0xded, uid: 7)),
        Applied("D05", "directory of mode 1777", "kept", New().Directory("tmp", 0x3ff), Tree().Directory("tmp", 0x3ff)),
        Refused("D06", "type `Z`", New().Add("z", 'Z'), "entry \"z\": unsupported tar entry type 'Z'"),
        Refused("D07", "type `7`, a contiguous file", New().Add("z", '7'), "unsupported tar entry type '7'"),
        Refused("D08", "type `V`, a GNU volume header", New().Add("z", 'V'), "unsupported tar entry type 'V'"),
        Refused("D09", "type `D`, a GNU directory listing", New().Add("z", 'D', data: [.. "Yfile\0\0"u8]), "unsupported tar entry type 'D'"),
        Refused("D10", "type `M`, a continued file", New().Add("z", 'M', data: [.. "rest"u8]), "unsupported tar entry type 'M'"),
        Applied("D11", "global PAX header with a path", "without effect", New().PaxBody(TarBuilder.Record("path", "global/x"), 'g').File("f"), Tree().File("f")),
        Applied("D12", "mode with bits beyond 07777", "they are cut off", New().Add("f", mode: 0x81a4), Tree().File("f", "")),
    ];
}
