namespace OciTool.Images.Compatibility;

/// <summary>What was read of an image that is not in the store.</summary>
/// <param name="Layers">How many layers it has.</param>
/// <param name="Requested">How many of them the registry was asked for.</param>
/// <param name="FromStore">How many of them other images have brought already.</param>
/// <param name="Bytes">How many bytes were downloaded.</param>
/// <param name="Size">How many bytes its layers have.</param>
public sealed record LayersRead(int Layers, int Requested, int FromStore, long Bytes, long Size);
