namespace OciTool.Storage.Layers;

/// <summary>What a layer is made into: files below a directory, or one file with a file system in it.</summary>
internal interface ILayerWriter : IDisposable
{
    /// <summary>Takes the layer's present entry; where the layer had the name before, the later entry wins.</summary>
    /// <exception cref="LayerException">The entry cannot be written.</exception>
    void Write();

    /// <summary>Takes the whiteouts, and writes all that could not be written before: the layer is complete.</summary>
    /// <exception cref="LayerException">Something cannot be written.</exception>
    void Finish();
}
