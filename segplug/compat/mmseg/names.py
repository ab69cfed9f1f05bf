"""Which names stand in which module of mmsegmentation 1.2.2: what may be imported.

A line is a module below ``mmseg`` and its names, going on where it is indented; ``*package``
stands for all names of a package below. Whose object a name means, `resolve` finds out.
"""

TABLE = """
version: __version__ parse_version_info version_info
apis: inference_model init_model show_result_pyplot MMSegInferencer RSImage RSInferencer
apis.inference: init_model inference_model show_result_pyplot
apis.mmseg_inferencer: InputType InputsType PredType MMSegInferencer
apis.remote_sense_inferencer: RSImage RSInferencer
apis.utils: ImageType
datasets: ADE20KDataset BaseCDDataset BaseSegDataset BDD100KDataset ChaseDB1Dataset
  CityscapesDataset COCOStuffDataset DarkZurichDataset MultiImageMixDataset DecathlonDataset
  DRIVEDataset DSDLSegDataset HRFDataset iSAIDDataset ISPRSDataset LEVIRCDDataset LIPDataset
  LoveDADataset MapillaryDataset_v1 MapillaryDataset_v2 NightDrivingDataset NYUDataset
  PascalContextDataset PascalContextDataset59 PotsdamDataset REFUGEDataset STAREDataset
  SynapseDataset CLAHE AdjustGamma Albu BioMedical3DPad BioMedical3DRandomCrop
  BioMedical3DRandomFlip BioMedicalGaussianBlur BioMedicalGaussianNoise BioMedicalRandomGamma
  ConcatCDInput GenerateEdge LoadAnnotations LoadBiomedicalAnnotation LoadBiomedicalData
  LoadBiomedicalImageFromFile LoadImageFromNDArray LoadMultipleRSImageFromFile
  LoadSingleRSImageFromFile PackSegInputs PhotoMetricDistortion RandomCrop RandomCutOut
  RandomMosaic RandomRotate RandomRotFlip Rerange ResizeShortestEdge ResizeToMultiple RGB2Gray
  SegRescale PascalVOCDataset
datasets.ade: ADE20KDataset
datasets.basesegdataset: BaseSegDataset BaseCDDataset
datasets.bdd100k: BDD100KDataset
datasets.chase_db1: ChaseDB1Dataset
datasets.cityscapes: CityscapesDataset
datasets.coco_stuff: COCOStuffDataset
datasets.dark_zurich: DarkZurichDataset
datasets.dataset_wrappers: MultiImageMixDataset
datasets.decathlon: DecathlonDataset
datasets.drive: DRIVEDataset
datasets.dsdl: DSDLSegDataset
datasets.hrf: HRFDataset
datasets.isaid: iSAIDDataset
datasets.isprs: ISPRSDataset
datasets.levir: LEVIRCDDataset
datasets.lip: LIPDataset
datasets.loveda: LoveDADataset
datasets.mapillary: MapillaryDataset_v1 MapillaryDataset_v2
datasets.night_driving: NightDrivingDataset
datasets.nyu: NYUDataset
datasets.pascal_context: PascalContextDataset PascalContextDataset59
datasets.potsdam: PotsdamDataset
datasets.refuge: REFUGEDataset
datasets.stare: STAREDataset
datasets.synapse: SynapseDataset
datasets.voc: PascalVOCDataset
datasets.transforms: PackSegInputs LoadAnnotations LoadBiomedicalAnnotation LoadBiomedicalData
  LoadBiomedicalImageFromFile LoadDepthAnnotation LoadImageFromNDArray LoadMultipleRSImageFromFile
  LoadSingleRSImageFromFile CLAHE AdjustGamma Albu BioMedical3DPad BioMedical3DRandomCrop
  BioMedical3DRandomFlip BioMedicalGaussianBlur BioMedicalGaussianNoise BioMedicalRandomGamma
  ConcatCDInput GenerateEdge PhotoMetricDistortion RandomCrop RandomCutOut RandomDepthMix
  RandomFlip RandomMosaic RandomRotate RandomRotFlip Rerange Resize ResizeShortestEdge
  ResizeToMultiple RGB2Gray SegRescale
datasets.transforms.formatting: PackSegInputs
datasets.transforms.loading: LoadAnnotations LoadImageFromNDArray LoadBiomedicalImageFromFile
  LoadBiomedicalAnnotation LoadBiomedicalData InferencerLoader LoadSingleRSImageFromFile
  LoadMultipleRSImageFromFile LoadDepthAnnotation
datasets.transforms.transforms: ResizeToMultiple Rerange CLAHE RandomCrop RandomRotate RGB2Gray
  AdjustGamma SegRescale PhotoMetricDistortion RandomCutOut RandomRotFlip RandomFlip Resize
  RandomMosaic GenerateEdge ResizeShortestEdge BioMedical3DRandomCrop BioMedicalGaussianNoise
  BioMedicalGaussianBlur BioMedicalRandomGamma BioMedical3DPad BioMedical3DRandomFlip Albu
  ConcatCDInput RandomDepthMix
engine: SegVisualizationHook ForceDefaultOptimWrapperConstructor LayerDecayOptimizerConstructor
  LearningRateDecayOptimizerConstructor PolyLRRatio
engine.hooks: SegVisualizationHook
engine.hooks.visualization_hook: SegVisualizationHook
engine.optimizers: ForceDefaultOptimWrapperConstructor LayerDecayOptimizerConstructor
  LearningRateDecayOptimizerConstructor
engine.optimizers.force_default_constructor: ForceDefaultOptimWrapperConstructor
engine.optimizers.layer_decay_optimizer_constructor: get_layer_id_for_convnext
  get_stage_id_for_convnext get_layer_id_for_vit LearningRateDecayOptimizerConstructor
  LayerDecayOptimizerConstructor
engine.schedulers: PolyLRRatio
engine.schedulers.poly_ratio_scheduler: PolyLRRatio
evaluation: CityscapesMetric DepthMetric IoUMetric
evaluation.metrics: CityscapesMetric DepthMetric IoUMetric
evaluation.metrics.citys_metric: CityscapesMetric
evaluation.metrics.depth_metric: DepthMetric
evaluation.metrics.iou_metric: IoUMetric
models: *backbones *decode_heads *losses *necks *segmentors *assigners *text_encoder
  BACKBONES HEADS LOSSES SEGMENTORS build_backbone build_head build_loss build_segmentor
  SegDataPreProcessor
models.builder: BACKBONES NECKS HEADS LOSSES SEGMENTORS build_backbone build_neck build_head
  build_loss build_segmentor
models.data_preprocessor: SegDataPreProcessor
models.assigners: BaseAssigner HungarianAssigner ClassificationCost CrossEntropyLossCost DiceCost
models.assigners.base_assigner: BaseAssigner
models.assigners.hungarian_assigner: HungarianAssigner
models.assigners.match_cost: BaseMatchCost ClassificationCost DiceCost CrossEntropyLossCost
models.backbones: BEiT BiSeNetV1 BiSeNetV2 CGNet DDRNet ERFNet FastSCNN HRNet ICNet MAE
  MixVisionTransformer MobileNetV2 MobileNetV3 MSCAN PIDNet ResNeSt ResNet ResNetV1c ResNetV1d
  ResNeXt STDCContextPathNet STDCNet SwinTransformer TIMMBackbone PCPVT SVT UNet VisionTransformer
  VPD
models.backbones.beit: BEiTAttention BEiTTransformerEncoderLayer BEiT
models.backbones.bisenetv1: SpatialPath AttentionRefinementModule ContextPath FeatureFusionModule
  BiSeNetV1
models.backbones.bisenetv2: DetailBranch StemBlock GELayer CEBlock SemanticBranch BGALayer
  BiSeNetV2
models.backbones.cgnet: GlobalContextExtractor ContextGuidedBlock InputInjection CGNet
models.backbones.ddrnet: DDRNet
models.backbones.erfnet: DownsamplerBlock NonBottleneck1d UpsamplerBlock ERFNet
models.backbones.fast_scnn: LearningToDownsample GlobalFeatureExtractor FeatureFusionModule
  FastSCNN
models.backbones.hrnet: HRModule HRNet
models.backbones.icnet: ICNet
models.backbones.mae: MAEAttention MAETransformerEncoderLayer MAE
models.backbones.mit: MixFFN EfficientMultiheadAttention TransformerEncoderLayer
  MixVisionTransformer
models.backbones.mobilenet_v2: MobileNetV2
models.backbones.mobilenet_v3: MobileNetV3
models.backbones.mscan: Mlp StemConv MSCAAttention MSCASpatialAttention MSCABlock
  OverlapPatchEmbed MSCAN
models.backbones.pidnet: PagFM Bag LightBag PIDNet
models.backbones.resnest: RSoftmax SplitAttentionConv2d Bottleneck ResNeSt
models.backbones.resnet: BasicBlock Bottleneck ResNet ResNetV1c ResNetV1d
models.backbones.resnext: Bottleneck ResNeXt
models.backbones.stdc: STDCModule FeatureFusionModule STDCNet STDCContextPathNet
models.backbones.swin: WindowMSA ShiftWindowMSA SwinBlock SwinBlockSequence SwinTransformer
models.backbones.timm_backbone: TIMMBackbone
models.backbones.twins: GlobalSubsampledAttention GSAEncoderLayer LocallyGroupedSelfAttention
  LSAEncoderLayer ConditionalPositionEncoding PCPVT SVT
models.backbones.unet: BasicConvBlock DeconvModule InterpConv UNet
models.backbones.vit: TransformerEncoderLayer VisionTransformer
models.backbones.vpd: register_attention_control AttentionStore UNetWrapper TextAdapter VPD
models.decode_heads: ANNHead APCHead ASPPHead CCHead DAHead DDRHead DMHead DNLHead DPTHead EMAHead
  EncHead FCNHead FPNHead GCHead LightHamHead ISAHead IterativeDecodeHead KernelUpdateHead
  KernelUpdator LRASPPHead Mask2FormerHead MaskFormerHead NLHead OCRHead PIDHead PointHead PSAHead
  PSPHead SideAdapterCLIPHead SegformerHead SegmenterMaskTransformerHead
  DepthwiseSeparableASPPHead DepthwiseSeparableFCNHead SETRMLAHead SETRUPHead STDCHead UPerHead
  VPDDepthHead
models.decode_heads.ann_head: PPMConcat SelfAttentionBlock AFNB APNB ANNHead
models.decode_heads.apc_head: ACM APCHead
models.decode_heads.aspp_head: ASPPModule ASPPHead
models.decode_heads.cascade_decode_head: BaseCascadeDecodeHead
models.decode_heads.cc_head: CCHead
models.decode_heads.da_head: PAM CAM DAHead
models.decode_heads.ddr_head: DDRHead
models.decode_heads.decode_head: BaseDecodeHead
models.decode_heads.dm_head: DCM DMHead
models.decode_heads.dnl_head: DisentangledNonLocal2d DNLHead
models.decode_heads.dpt_head: ReassembleBlocks PreActResidualConvUnit FeatureFusionBlock DPTHead
models.decode_heads.ema_head: reduce_mean EMAModule EMAHead
models.decode_heads.enc_head: EncModule EncHead
models.decode_heads.fcn_head: FCNHead
models.decode_heads.fpn_head: FPNHead
models.decode_heads.gc_head: GCHead
models.decode_heads.ham_head: Matrix_Decomposition_2D_Base NMF2D Hamburger LightHamHead
models.decode_heads.isa_head: SelfAttentionBlock ISAHead
models.decode_heads.knet_head: KernelUpdator KernelUpdateHead IterativeDecodeHead
models.decode_heads.lraspp_head: LRASPPHead
models.decode_heads.mask2former_head: Mask2FormerHead
models.decode_heads.maskformer_head: MaskFormerHead
models.decode_heads.nl_head: NLHead
models.decode_heads.ocr_head: SpatialGatherModule ObjectAttentionBlock OCRHead
models.decode_heads.pid_head: BasePIDHead PIDHead
models.decode_heads.point_head: calculate_uncertainty PointHead
models.decode_heads.psa_head: PSAHead
models.decode_heads.psp_head: PPM PSPHead
models.decode_heads.san_head: MLPMaskDecoder SideAdapterNetwork RecWithAttnbias
  SideAdapterCLIPHead
models.decode_heads.segformer_head: SegformerHead
models.decode_heads.segmenter_mask_head: SegmenterMaskTransformerHead
models.decode_heads.sep_aspp_head: DepthwiseSeparableASPPModule DepthwiseSeparableASPPHead
models.decode_heads.sep_fcn_head: DepthwiseSeparableFCNHead
models.decode_heads.setr_mla_head: SETRMLAHead
models.decode_heads.setr_up_head: SETRUPHead
models.decode_heads.stdc_head: STDCHead
models.decode_heads.uper_head: UPerHead
models.decode_heads.vpd_depth_head: VPDDepthDecoder VPDDepthHead
models.losses: Accuracy accuracy BoundaryLoss CrossEntropyLoss binary_cross_entropy cross_entropy
  mask_cross_entropy DiceLoss FocalLoss HuasdorffDisstanceLoss LovaszLoss OhemCrossEntropy
  SiLogLoss TverskyLoss reduce_loss weight_reduce_loss weighted_loss
models.losses.accuracy: accuracy Accuracy
models.losses.boundary_loss: BoundaryLoss
models.losses.cross_entropy_loss: cross_entropy binary_cross_entropy mask_cross_entropy
  CrossEntropyLoss
models.losses.dice_loss: dice_loss DiceLoss
models.losses.focal_loss: py_sigmoid_focal_loss sigmoid_focal_loss FocalLoss
models.losses.huasdorff_distance_loss: compute_dtm hd_loss HuasdorffDisstanceLoss
models.losses.kldiv_loss: KLDivLoss
models.losses.lovasz_loss: lovasz_grad flatten_binary_logits flatten_probs lovasz_hinge_flat
  lovasz_hinge lovasz_softmax_flat lovasz_softmax LovaszLoss
models.losses.ohem_cross_entropy_loss: OhemCrossEntropy
models.losses.silog_loss: silog_loss SiLogLoss
models.losses.tversky_loss: tversky_loss binary_tversky_loss TverskyLoss
models.losses.utils: get_class_weight reduce_loss weight_reduce_loss weighted_loss
models.necks: Feature2Pyramid FPN ICNeck JPU MLANeck MultiLevelNeck
models.necks.featurepyramid: Feature2Pyramid
models.necks.fpn: FPN
models.necks.ic_neck: CascadeFeatureFusion ICNeck
models.necks.jpu: JPU
models.necks.mla_neck: MLAModule MLANeck
models.necks.multilevel_neck: MultiLevelNeck
models.segmentors: BaseSegmentor CascadeEncoderDecoder DepthEstimator EncoderDecoder
  MultimodalEncoderDecoder SegTTAModel
models.segmentors.base: BaseSegmentor
models.segmentors.cascade_encoder_decoder: CascadeEncoderDecoder
models.segmentors.depth_estimator: DepthEstimator
models.segmentors.encoder_decoder: EncoderDecoder
models.segmentors.multimodal_encoder_decoder: MultimodalEncoderDecoder
models.segmentors.seg_tta: SegTTAModel
models.text_encoder: CLIPTextEncoder
models.text_encoder.clip_text_encoder: CLIPTextEncoder QuickGELU
models.utils: BasicBlock Bottleneck PatchEmbed Encoding InvertedResidual InvertedResidualV3
  make_divisible get_uncertain_point_coords_with_randomness DAPPM PAPPM ResLayer SELayer
  SelfAttentionBlock nchw2nlc2nchw nchw_to_nlc nlc2nchw2nlc nlc_to_nchw UpConvBlock Upsample
  resize MLP LayerNorm2d cross_attn_layer
models.utils.basic_block: BasicBlock Bottleneck
models.utils.embed: AdaptivePadding PatchEmbed PatchMerging
models.utils.encoding: Encoding
models.utils.inverted_residual: InvertedResidual InvertedResidualV3
models.utils.make_divisible: make_divisible
models.utils.point_sample: get_uncertainty get_uncertain_point_coords_with_randomness
models.utils.ppm: DAPPM PAPPM
models.utils.res_layer: ResLayer
models.utils.san_layers: cross_attn_with_self_bias cross_attn_layer LayerNorm2d MLP
models.utils.se_layer: SELayer
models.utils.self_attention_block: SelfAttentionBlock
models.utils.shape_convert: nlc_to_nchw nchw_to_nlc nchw2nlc2nchw nlc2nchw2nlc
models.utils.up_conv_block: UpConvBlock
models.utils.wrappers: resize Upsample
registry: DATA_SAMPLERS DATASETS EVALUATOR HOOKS INFERENCERS LOG_PROCESSORS LOOPS METRICS
  MODEL_WRAPPERS MODELS OPTIM_WRAPPER_CONSTRUCTORS OPTIM_WRAPPERS OPTIMIZERS PARAM_SCHEDULERS
  RUNNER_CONSTRUCTORS RUNNERS TASK_UTILS TRANSFORMS VISBACKENDS VISUALIZERS WEIGHT_INITIALIZERS
registry.registry: RUNNERS RUNNER_CONSTRUCTORS LOOPS HOOKS DATASETS DATA_SAMPLERS TRANSFORMS
  MODELS MODEL_WRAPPERS WEIGHT_INITIALIZERS OPTIMIZERS OPTIM_WRAPPERS OPTIM_WRAPPER_CONSTRUCTORS
  PARAM_SCHEDULERS METRICS EVALUATOR TASK_UTILS VISUALIZERS VISBACKENDS LOG_PROCESSORS INFERENCERS
structures: BasePixelSampler OHEMPixelSampler build_pixel_sampler SegDataSample
structures.seg_data_sample: SegDataSample
structures.sampler: BasePixelSampler build_pixel_sampler OHEMPixelSampler
structures.sampler.base_pixel_sampler: BasePixelSampler
structures.sampler.builder: PIXEL_SAMPLERS build_pixel_sampler
structures.sampler.ohem_pixel_sampler: OHEMPixelSampler
utils: ade_classes ade_palette bdd100k_classes bdd100k_palette cityscapes_classes
  cityscapes_palette cocostuff_classes cocostuff_palette dataset_aliases get_classes get_palette
  isaid_classes isaid_palette loveda_classes loveda_palette potsdam_classes potsdam_palette
  stare_classes stare_palette synapse_classes synapse_palette vaihingen_classes vaihingen_palette
  voc_classes voc_palette collect_env get_predefined_templates datafrombytes add_prefix
  stack_batch register_all_modules tokenize ConfigType ForwardResults MultiConfig OptConfigType
  OptMultiConfig OptSampleList SampleList TensorDict TensorList MatchMasks
  seg_data_to_instance_data
utils.class_names: cityscapes_classes ade_classes voc_classes pcontext_classes cocostuff_classes
  loveda_classes potsdam_classes vaihingen_classes isaid_classes stare_classes
  mapillary_v1_classes mapillary_v1_palette mapillary_v2_classes mapillary_v2_palette
  cityscapes_palette ade_palette voc_palette pcontext_palette cocostuff_palette loveda_palette
  potsdam_palette vaihingen_palette isaid_palette stare_palette synapse_palette synapse_classes
  lip_classes lip_palette bdd100k_classes bdd100k_palette dataset_aliases get_classes get_palette
utils.collect_env: collect_env
utils.get_templates: PREDEFINED_TEMPLATES get_predefined_templates
utils.io: datafrombytes
utils.mask_classification: seg_data_to_instance_data MatchMasks
utils.misc: add_prefix stack_batch
utils.set_env: register_all_modules
utils.tokenizer: default_bpe bytes_to_unicode get_pairs basic_clean whitespace_clean
  SimpleTokenizer decode tokenize HFTokenizer
utils.typing_utils: ConfigType OptConfigType MultiConfig OptMultiConfig SampleList OptSampleList
  TensorDict TensorList ForwardResults
visualization: SegLocalVisualizer
visualization.local_visualizer: SegLocalVisualizer
"""


def _read(table: str) -> dict[str, list[str]]:
    """Module -> its names, in the order of ``table``."""
    found: dict[str, list[str]] = {}
    for word in table.split():
        if word.endswith(':'):
            names = found.setdefault(word[:-1], [])
        else:
            names.append(word)
    for module, names in found.items():
        found[module] = [name for word in names for name in
                         (found[f'{module}.{word[1:]}'] if word[0] == '*' else [word])]
    return found


# '' is the package itself.
MODULES = {'': ['__version__', 'version_info', 'digit_version'], **_read(TABLE)}
PACKAGES = {'', *(module.rpartition('.')[0] for module in MODULES)}
